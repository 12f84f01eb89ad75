"""The gate: every data class against every kind of endpoint, and what its connections refuse."""

import asyncio
import socket
from datetime import date, timedelta

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.generation.data_class import DATA_CLASSES
from longtail_icd.generation.endpoints.attestation import read_attestation
from longtail_icd.generation.endpoints.endpoint import (
    Endpoint,
    attestation_record,
    read_endpoint,
    read_key,
)
from longtail_icd.generation.endpoints.gate import check_batch, check_endpoint, origin_of
from longtail_icd.generation.endpoints.transport import GatedTransport, http_client
from stand_in_server import StandInServer

TODAY = date(2026, 11, 26)
COMPLETE = {
    "zero_retention": True,
    "no_training": True,
    "no_human_review": True,
    "agreement_ref": "contract 12",
    "by": "A. Author",
    "date": "2026-01-01",
    "expires": "2026-12-31",
}
EXPIRED = {**COMPLETE, "expires": "2026-11-25"}
LAST_DAY = {**COMPLETE, "expires": "2026-11-26"}
AHEAD = {**COMPLETE, "date": "2026-11-27"}
NAMES = {
    "localhost": ["::1", "127.0.0.1"],
    "alias.example": ["127.0.1.1"],
    "api.example": ["203.0.113.5", "2001:db8::5"],
    "inside.example": ["10.0.0.7"],
    "both.example": ["127.0.0.1", "203.0.113.5"],
    "both6.example": ["203.0.113.5", "::1"],
}


def endpoint(*base_urls, max_class="text", attestation=None):
    return Endpoint(base_urls, 4, 5.0, None, max_class, read_attestation(attestation))


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Resolve names of the table, and no others, without asking anyone."""
    real = socket.getaddrinfo

    def resolve(host, port, *rest, **options):
        if isinstance(host, str) and host.endswith("example"):
            if host not in NAMES:
                raise socket.gaierror("unknown")
            return [entry for one in NAMES[host] for entry in real(one, port, *rest, **options)]
        return real(host, port, *rest, **options)

    monkeypatch.setattr("socket.getaddrinfo", resolve)


# (base_url, max_class, attestation, highest class that passes; None: not even public)
TABLE = [
    ("http://127.0.0.1:8000/v1", "text", None, "text"),
    ("http://127.9.9.9:8000/v1", "text", None, "text"),
    ("https://127.0.0.1/v1", "text", None, "text"),
    ("http://[::1]:8000/v1", "text", None, "text"),
    ("http://[::ffff:127.0.0.1]:8000/v1", "text", None, "text"),
    ("http://localhost:8000/v1", "text", None, "text"),
    ("http://LOCALHOST:8000/v1", "text", None, "text"),
    ("http://alias.example:8000/v1", "text", None, "text"),
    ("http://127.0.0.1:8000/v1", "record", None, "record"),
    ("http://127.0.0.1:8000/v1", "public", None, "public"),
    # An expired attestation is not needed where nothing leaves the machine.
    ("http://127.0.0.1:8000/v1", "text", EXPIRED, "text"),
    # Anywhere else: nothing, unless declared for public alone, and then by https only.
    ("https://10.0.0.7/v1", "text", None, None),
    ("https://10.0.0.7/v1", "public", None, "public"),
    ("http://10.0.0.7/v1", "public", None, None),
    ("https://203.0.113.5/v1", "aggregate", None, None),
    ("https://[2001:db8::5]/v1", "text", None, None),
    ("https://[::ffff:203.0.113.5]/v1", "text", None, None),
    ("https://0.0.0.0/v1", "text", None, None),
    ("https://[::]/v1", "text", None, None),
    ("https://169.254.1.1/v1", "text", None, None),
    ("https://api.example/v1", "text", None, None),
    ("https://api.example/v1", "public", None, "public"),
    ("http://api.example/v1", "public", None, None),
    ("https://inside.example/v1", "record", None, None),
    ("https://both.example/v1", "text", None, None),
    ("https://both6.example/v1", "text", None, None),
    ("https://both.example/v1", "public", None, "public"),
    ("https://gone.example/v1", "text", COMPLETE, None),
    # Attested: up to what is declared, on the days it holds, and by https only.
    ("https://api.example/v1", "text", COMPLETE, "text"),
    ("https://api.example/v1", "record", COMPLETE, "record"),
    ("https://api.example/v1", "aggregate", COMPLETE, "aggregate"),
    ("https://api.example/v1", "text", LAST_DAY, "text"),
    ("https://both.example/v1", "text", COMPLETE, "text"),
    ("https://inside.example:8443/v1", "text", COMPLETE, "text"),
    ("http://inside.example:8000/v1", "text", COMPLETE, None),
    ("https://api.example/v1", "text", EXPIRED, None),
    ("https://api.example/v1", "public", EXPIRED, "public"),
    ("https://api.example/v1", "text", AHEAD, None),
]


@pytest.mark.parametrize("data_class", DATA_CLASSES)
@pytest.mark.parametrize(("base_url", "max_class", "attestation", "highest"), TABLE)
def test_every_class_against_every_endpoint(base_url, max_class, attestation, highest, data_class):
    one = endpoint(base_url, max_class=max_class, attestation=attestation)
    passing = DATA_CLASSES[: DATA_CLASSES.index(highest) + 1] if highest else ()
    if data_class in passing:
        check_endpoint(one, data_class, TODAY)
    else:
        with pytest.raises(UserError):
            check_endpoint(one, data_class, TODAY)


@given(
    st.sampled_from(sorted({base_url for base_url, *_ in TABLE})),
    st.sampled_from(DATA_CLASSES),
    st.sampled_from([None, COMPLETE, EXPIRED, AHEAD]),
    st.sampled_from(DATA_CLASSES),
    st.sampled_from(DATA_CLASSES),
    st.integers(-400, 400),
)
def test_raising_a_class_never_opens_the_gate(base_url, max_class, attestation, one, two, days):
    """Law: what stops a prompt stops every more sensitive one."""
    lower, higher = sorted((one, two), key=DATA_CLASSES.index)
    declared = endpoint(base_url, max_class=max_class, attestation=attestation)
    today = TODAY + timedelta(days=days)
    try:
        check_endpoint(declared, lower, today)
    except UserError:
        with pytest.raises(UserError):
            check_endpoint(declared, higher, today)


def test_one_unfit_server_of_several_stops_all():
    with pytest.raises(UserError, match="not this machine"):
        check_endpoint(endpoint("http://127.0.0.1:1/v1", "https://10.0.0.7/v1"), "public", TODAY)


@pytest.mark.parametrize("key", COMPLETE)
@pytest.mark.parametrize("value", [None, "", " ", False, 0])
def test_an_incomplete_attestation_is_none(key, value):
    """Left out or half-hearted, each part alone makes an attestation worthless."""
    with pytest.raises(UserError, match=f"attestation.{key}"):
        read_attestation({**COMPLETE, key: value})
    with pytest.raises(UserError, match=f"attestation.{key}"):
        read_attestation({name: one for name, one in COMPLETE.items() if name != key})


def test_the_manifest_gets_the_whole_attestation():
    url = "https://api.example/v1"
    quoted = attestation_record(endpoint(url, attestation=COMPLETE).attestation)
    assert quoted == {**COMPLETE, "batch": False}
    # YAML makes dates of unquoted days.
    unquoted = {**COMPLETE, "date": date(2026, 1, 1), "expires": date(2026, 12, 31)}
    assert attestation_record(endpoint(url, attestation=unquoted).attestation) == quoted
    assert attestation_record(None) is None


def test_batches_of_derived_data_need_a_promise_of_their_own():
    remote = endpoint("https://api.example/v1", attestation=COMPLETE)
    check_batch(remote, "aggregate", TODAY)
    for data_class in ("record", "text"):
        with pytest.raises(UserError, match="batch files"):
            check_batch(remote, data_class, TODAY)
        promised = {**COMPLETE, "batch": True}
        check_batch(endpoint("https://api.example/v1", attestation=promised), data_class, TODAY)
        check_batch(endpoint("http://127.0.0.1:1/v1"), data_class, TODAY)
        with pytest.raises(UserError, match="not this machine"):
            check_batch(endpoint("https://api.example/v1"), data_class, TODAY)


@pytest.mark.parametrize(
    "url",
    ["http://user:pw-123@127.0.0.1/v1", "http://127.0.0.1@8.8.8.8/v1", "ftp://127.0.0.1/v1",
     "http:///v1", "http://127.0.0.1:99999/v1", "http://127.0.0.1/v1?key=pw-123", "http://[x/",
     "//127.0.0.1/v1", "127.0.0.1:8000", "", "http://127.0.0.1/v1#pw-123"],
)  # fmt: skip
def test_malformed_urls_are_refused_and_no_password_is_quoted(url):
    with pytest.raises(UserError, match="base_url") as error:
        check_endpoint(endpoint(url), "public", TODAY)
    assert "pw-123" not in str(error.value)


def test_a_url_is_read_as_the_client_reads_it():
    assert vars(origin_of("https://API.example/v1")) == {
        "scheme": "https", "host": "api.example", "port": 443}  # fmt: skip
    assert vars(origin_of("http://[::1]:8000/v1")) == {
        "scheme": "http", "host": "::1", "port": 8000}  # fmt: skip


def test_a_block_of_the_configuration_becomes_an_endpoint():
    block = {"base_url": "http://127.0.0.1:1/v1", "concurrency": 3, "timeout_s": 9.0,
             "api_key_env": None, "model": "m"}  # fmt: skip
    assert read_endpoint(block) == Endpoint(("http://127.0.0.1:1/v1",), 3, 9.0, None, "text", None)
    several = {**block, "base_urls": ["https://a/v1", "https://b/v1"], "max_class": "record",
               "attestation": COMPLETE}  # fmt: skip
    del several["base_url"]
    read = read_endpoint(several)
    assert (read.base_urls, read.max_class) == (("https://a/v1", "https://b/v1"), "record")
    assert read.attestation.expires == date(2026, 12, 31)


def test_the_key_comes_from_the_named_variable(monkeypatch):
    monkeypatch.setenv("MY_KEY", "k-1")
    assert read_key("MY_KEY") == "k-1"
    assert read_key(None) == "none"
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(UserError, match="MY_KEY"):
        read_key("MY_KEY")


def ask(one, timeout_s=5.0):
    """Ask through the gate, as the writer does, without the check before it."""

    async def once():
        async with openai.AsyncOpenAI(
            api_key="k",
            base_url=one.base_urls[0],
            max_retries=0,
            timeout=timeout_s,
            http_client=http_client(one),
        ) as client:
            return await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "marker"}]
            )

    return asyncio.run(once())


def refused(one, match):
    """Assert that the gate stops a request as a UserError, whatever the client makes of it."""
    with pytest.raises(UserError, match=match):
        ask(one)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "alias.example"])
def test_this_machine_is_reached(host):
    """localhost is ::1 first, where nothing listens: the next address is tried."""
    NAMES["alias.example"] = ["::1", "127.0.0.1"]
    with StandInServer() as server:
        answer = ask(endpoint(f"http://{host}:{server.port}/v1"))
    assert answer.choices[0].message.content.startswith("Service: Medicine")
    (headers, _), *rest = server.requests
    assert rest == [] and headers["host"] == f"{host}:{server.port}"


def test_proxy_variables_are_not_followed(monkeypatch):
    with StandInServer() as proxy, StandInServer() as server:
        address = f"http://127.0.0.1:{proxy.port}"
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, address)
            monkeypatch.setenv(name.lower(), address)
        ask(endpoint(server.base_url))
    assert len(server.requests) == 1 and proxy.connections == 0


def test_redirects_are_not_followed():
    redirecting = StandInServer(lambda *_: "redirect")
    with redirecting as server, pytest.raises(openai.APIStatusError) as error:
        ask(endpoint(server.base_url))
    assert error.value.status_code == 307 and len(server.requests) == 1


def test_no_connection_is_opened_to_a_host_that_was_not_declared():
    """Even a client that follows redirects stays where the endpoint says."""

    async def follow(one):
        transport = GatedTransport(one)
        async with httpx2.AsyncClient(transport=transport, follow_redirects=True) as client:
            await client.post(f"{one.base_urls[0]}/x", json={"messages": []})

    redirecting = StandInServer(lambda *_: "redirect")
    with redirecting as server, pytest.raises(UserError, match="does not name"):
        asyncio.run(follow(endpoint(server.base_url)))


def test_a_name_that_changes_after_the_check_reaches_nobody(monkeypatch):
    """DNS rebinding: this machine when the class is checked, another when it is connected to."""
    one = endpoint("http://alias.example:8000/v1")
    monkeypatch.setitem(NAMES, "alias.example", ["127.0.0.1"])
    check_endpoint(one, "text", TODAY)
    monkeypatch.setitem(NAMES, "alias.example", ["203.0.113.5"])
    refused(one, "not this machine")
    monkeypatch.setitem(NAMES, "alias.example", ["127.0.0.1", "203.0.113.5"])
    refused(one, "not this machine")


def test_a_name_is_looked_up_once_per_connection(monkeypatch):
    """The address that was checked is the one connected to: there is no second look-up."""
    looked_up = []

    def resolve(host, port, *_, **__):
        looked_up.append(host)
        address = "127.0.0.1" if len(looked_up) == 1 else "203.0.113.5"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with StandInServer() as server:
        monkeypatch.setattr("socket.getaddrinfo", resolve)
        ask(endpoint(f"http://alias.example:{server.port}/v1"))
    assert looked_up == ["alias.example"] and len(server.requests) == 1


def test_http_and_an_expired_attestation_stop_a_connection_too():
    refused(endpoint("http://api.example:8000/v1", max_class="public"), "https only")
    past = {**COMPLETE, "date": "2020-01-01", "expires": "2020-12-31"}
    refused(endpoint("https://api.example/v1", attestation=past), "expired on 2020-12-31")


def test_failures_keep_the_names_that_retries_go_by():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        with pytest.raises(openai.APIConnectionError) as error:
            ask(endpoint(nobody))
    assert type(error.value.__cause__) is httpx2.ConnectError
    with pytest.raises(openai.APIConnectionError) as error:
        ask(endpoint("https://gone.example/v1", max_class="public"))
    assert type(error.value.__cause__) is httpx2.ConnectError
    with StandInServer(lambda *_: "slow") as server, pytest.raises(openai.APITimeoutError):
        ask(endpoint(server.base_url), timeout_s=0.2)
    cutting = StandInServer(lambda *_: "cut")
    with cutting as server, pytest.raises(openai.APIConnectionError) as error:
        ask(endpoint(server.base_url))
    assert isinstance(error.value.__cause__, httpx2.TransportError)
