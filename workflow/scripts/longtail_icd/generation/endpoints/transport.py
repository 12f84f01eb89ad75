"""The gate as the HTTP client's transport: it opens connections to checked addresses only."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any

import httpcore2
import httpx2
import openai

from longtail_icd.common.errors import UserError
from longtail_icd.generation.endpoints.endpoint import Endpoint
from longtail_icd.generation.endpoints.gate import check_address, origin_of, resolve

KEEPALIVE_S = 5.0  # how long an idle connection is kept


class GatedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to the very address that was checked: the host is looked up once per connection.

    With two look-ups, a name could show this machine to the check and another to the connection.
    """

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint
        self._origins = [origin_of(base_url) for base_url in endpoint.base_urls]
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> httpcore2.AsyncNetworkStream:
        """Open a connection to the first address of the host that takes one.

        Raises:
            UserError: the host is none of the endpoint's, or one of its addresses is not fit.
            httpcore2.ConnectError: the host does not resolve, or nothing listens there.
        """
        origins = [one for one in self._origins if (one.host, one.port) == (host, port)]
        if not origins:
            raise UserError("a connection to a host that base_url does not name was refused")
        try:
            addresses = await asyncio.wait_for(asyncio.to_thread(resolve, origins[0]), timeout)
        except OSError:  # a time-out is one, too
            raise httpcore2.ConnectError("host does not resolve") from None
        for origin, address in itertools.product(origins, addresses):
            check_address(self._endpoint, origin, address, date.today())
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(address, port, timeout, **options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._network.connect_tcp(addresses[-1], port, timeout, **options)


@contextmanager
def _as_client_errors() -> Iterator[None]:
    """Raise the client's error for the pool's; they have the same names."""
    try:
        yield
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.UnsupportedProtocol,
    ) as error:
        raise getattr(httpx2, type(error).__name__)(str(error)) from error


class _ResponseStream(httpx2.AsyncByteStream):
    """A response's content; ``closed`` is called once it is read or given up."""

    def __init__(self, stream: Any, closed: Callable[[], None]):
        self._stream = stream
        self._closed: Callable[[], None] | None = closed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_client_errors():
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
        if self._closed is not None:
            self._closed()
            self._closed = None


class GatedTransport(httpx2.AsyncBaseTransport):
    """Sends requests over connections that the gate has let through, and over no others.

    Certificates are verified against the system's authorities, whatever the environment says.
    Connections are kept here, by origin, and not in httpcore2's pool: that looks at all of them
    twice per request, which at 256 of them costs more than everything else that a request needs.
    """

    def __init__(self, endpoint: Endpoint):
        self._open = partial(
            httpcore2.AsyncHTTPConnection,
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            keepalive_expiry=KEEPALIVE_S,
            network_backend=GatedBackend(endpoint),
        )
        self._all: set[httpcore2.AsyncHTTPConnection] = set()
        self._idle: defaultdict[str, list[httpcore2.AsyncHTTPConnection]] = defaultdict(list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; see :class:`GatedBackend` for what is refused."""
        url = request.url
        target = httpcore2.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        connection = await self._take(target.origin)
        release = partial(self._release, target.origin, connection)
        try:
            with _as_client_errors():
                response = await connection.handle_async_request(
                    httpcore2.Request(
                        method=request.method,
                        url=target,
                        headers=request.headers.raw,
                        content=request.stream,
                        extensions=request.extensions,
                    )
                )
        except BaseException:
            release()
            raise
        return httpx2.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_ResponseStream(response.stream, release),
            extensions=response.extensions,
        )

    async def _take(self, origin: httpcore2.Origin) -> httpcore2.AsyncHTTPConnection:
        """Return the connection that became idle last and is still open, or a new one."""
        idle = self._idle[str(origin)]
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            self._all.remove(connection)
            await connection.aclose()
        connection = self._open(origin)
        self._all.add(connection)
        return connection

    def _release(self, origin: httpcore2.Origin, connection: httpcore2.AsyncHTTPConnection) -> None:
        """Keep a connection for the next request, unless it has been closed."""
        if connection.is_available():
            self._idle[str(origin)].append(connection)
        else:
            self._all.discard(connection)

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in tuple(self._all):
            await connection.aclose()


def http_client(endpoint: Endpoint) -> httpx2.AsyncClient:
    """Return the client for ``openai.AsyncOpenAI``: it follows no redirect and knows no proxy.

    Raises:
        UserError: a URL of the endpoint is malformed.
    """
    return openai.DefaultAsyncHttpx2Client(
        transport=GatedTransport(endpoint), follow_redirects=False, trust_env=False
    )
