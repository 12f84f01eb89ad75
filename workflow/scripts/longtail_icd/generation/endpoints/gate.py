"""The gate: which prompts may go to which address. Closed by default.

This machine may receive everything up to the endpoint's ``max_class``. Any other address is
reached by https only, and receives more than ``public`` only under a current attestation. Checked
by data class before a request is made (:func:`check_endpoint`), and by address as each
connection is opened (:mod:`transport`): a name may resolve differently by then.

What a connection may carry is not known when it is opened, so it is checked for the highest class
that the endpoint declares. A lower class therefore passes wherever a higher one does.
"""

import ipaddress
import socket
from dataclasses import dataclass
from datetime import date

import httpx2

from longtail_icd.common.errors import UserError
from longtail_icd.generation.data_class import DATA_CLASSES
from longtail_icd.generation.endpoints.attestation import check_current
from longtail_icd.generation.endpoints.endpoint import Endpoint

REMEDY = (
    "serve the model on this machine and set base_url to http://127.0.0.1:PORT/v1; or set "
    "max_class: public, or attest the endpoint (docs/privacy.md)"
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    """Where connections for a URL go; host in ASCII and lower case, IPv6 without brackets."""

    scheme: str
    host: str
    port: int


def origin_of(base_url: str) -> Origin:
    """Return the origin of a ``base_url``, as the HTTP client itself reads it.

    Raises:
        UserError: it is not of the form http://HOST:PORT/v1, or holds a password. The URL is not
            quoted then: it may hold a secret.
    """
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL:
        raise UserError("base_url is no valid URL; set it to http://127.0.0.1:PORT/v1") from None
    if url.userinfo:
        raise UserError(
            "base_url holds a user name or password; put a key into api_key_env's variable"
        )
    if url.scheme not in _PORTS or not url.host or url.query or url.fragment:
        raise UserError("base_url is not of the form http://HOST:PORT/v1")
    port = _PORTS[url.scheme] if url.port is None else url.port
    if not 0 < port < 2**16:
        raise UserError(f"base_url: there is no port {port}")
    return Origin(url.scheme, url.raw_host.decode("ascii"), port)


def resolve(origin: Origin) -> list[str]:
    """Return all addresses of the origin's host.

    Raises:
        OSError: it does not resolve.
    """
    try:
        found = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label of no or too many characters
        raise OSError("host does not resolve") from error
    return [str(address[0]) for *_, address in found]


def is_loopback(address: str) -> bool:
    """Return whether an IP address is this machine's own. Before: ``::ffff:127.0.0.1``: True."""
    # A scope such as %eth0 may follow an IPv6 address.
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def check_address(endpoint: Endpoint, origin: Origin, address: str, today: date) -> None:
    """Let an address pass if all that the endpoint may receive may go there.

    Raises:
        UserError: says which promise, or which part of the URL, would open the gate.
    """
    if is_loopback(address):
        return
    place = f"base_url {origin.scheme}://{origin.host}:{origin.port}"
    if endpoint.max_class != "public":
        if endpoint.attestation is None:
            raise UserError(
                f"{place}: {origin.host} is not this machine, and prompts may hold credentialed "
                f"text or what derives from it; {REMEDY}"
            )
        check_current(endpoint.attestation, today)
    if origin.scheme != "https":
        raise UserError(f"{place}: what leaves this machine is sent by https only")


def check_endpoint(endpoint: Endpoint, data_class: str, today: date) -> None:
    """Let prompts of a class pass, before anything is sent, if the endpoint may receive them.

    Raises:
        UserError: the class is above ``max_class``, a URL is malformed or does not resolve, or an
            address of its host is not fit for what the endpoint declares.
    """
    if DATA_CLASSES.index(data_class) > DATA_CLASSES.index(endpoint.max_class):
        raise UserError(
            f"max_class: the endpoint may receive prompts up to class {endpoint.max_class}, and "
            f"the recipe's are of class {data_class}; use another writer for it (docs/privacy.md)"
        )
    for origin in map(origin_of, endpoint.base_urls):
        try:
            addresses = resolve(origin)
        except OSError:
            raise UserError(f"base_url: host {origin.host} does not resolve; correct it") from None
        for address in addresses:
            check_address(endpoint, origin, address, today)


def check_batch(endpoint: Endpoint, data_class: str, today: date) -> None:
    """Let a batch file of a class pass: it is stored at the provider, as are its results.

    Raises:
        UserError: see :func:`check_endpoint`; or the prompts derive from single records, and the
            attestation does not cover batches.
    """
    check_endpoint(endpoint, data_class, today)
    derived = DATA_CLASSES.index(data_class) >= DATA_CLASSES.index("record")
    if derived and endpoint.attestation is not None and not endpoint.attestation.batch:
        raise UserError(
            "attestation.batch: batch files are stored at the provider; set it to true if the "
            "promises cover them, or use the backend openai"
        )
