"""The one guarded way out.

Every call has a time limit, a size limit and no proxies from the environment. Addresses that users
supply (callbacks, media links) may only lead to public hosts: the name is resolved once, every answer
must be public, and the address that was checked is the one that is dialled, so a name that changes its
mind in between reaches nothing. `ipaddress.is_global` calls several private ranges public (reliability
D17), so the list is written out here.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

import httpcore
import httpx
from msgspec import Struct

from channels.base import HttpAnswer, HttpError

ANSWER_LIMIT = 1024 * 1024
Resolver = Callable[[str, int], Awaitable[list[str]]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORBIDDEN = [
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        # Everything but 2000::/3, the only global unicast there is (RFC 4291, IANA), and what is special in it.
        "::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
]  # fmt: skip


def is_public(address: str, allowed: Iterable[Network] = ()) -> bool:
    """Whether a user-supplied name may lead to this address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if any(ip.version == network.version and ip in network for network in allowed):
        return True
    return not any(ip.version == network.version and ip in network for network in _FORBIDDEN)


async def _resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves, checks and dials one and the same address."""

    def __init__(self, resolver: Resolver, allowed: list[Network]) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._resolver = resolver
        self._allowed = allowed

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        try:
            addresses = await asyncio.wait_for(self._resolver(host, port), timeout)
        except (OSError, TimeoutError) as error:
            raise httpcore.ConnectError(f"{host} has no address") from error
        if not addresses or not all(is_public(address, self._allowed) for address in addresses):
            raise httpcore.ConnectError(f"{host} does not lead to a public address")
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("unix sockets are not for URLs")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def _guarded_transport(resolver: Resolver, allowed: list[Network]) -> httpx.AsyncHTTPTransport:
    transport = httpx.AsyncHTTPTransport(trust_env=False)
    # httpx gives no door for a network backend; its pool is httpcore's own, which does.
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=ssl.create_default_context(),
        max_connections=50,
        keepalive_expiry=10,
        network_backend=_GuardedBackend(resolver, allowed),
    )
    return transport


class Download(Struct, frozen=True):
    """A streaming answer; see channels.base.Download."""

    status: int
    headers: Mapping[str, str]
    response: httpx.Response

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self.response.aiter_bytes(64 * 1024):
                yield chunk
        except httpx.HTTPError as error:
            raise HttpError(_words(error), written=True) from error


def _words(error: Exception) -> str:
    """What went wrong, without the URL: it may hold a token."""
    return type(error).__name__ if not isinstance(error, httpx.ConnectError) else f"ConnectError: {error}"


_NOT_WRITTEN = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


class GuardedHttp:
    """channels.base.Http for the whole product."""

    def __init__(self, *, timeout: float, allow_private: str = "", resolver: Resolver = _resolve) -> None:
        allowed: list[Network] = [
            ipaddress.ip_network(block.strip()) for block in allow_private.split(",") if block.strip()
        ]
        limits = httpx.Timeout(timeout, connect=3.0, pool=3.0)
        self._limit = timeout
        # Providers' addresses come from the operator's settings and may be anywhere.
        self._trusted = httpx.AsyncClient(timeout=limits, trust_env=False, follow_redirects=False)
        self._guarded = httpx.AsyncClient(
            timeout=limits,
            trust_env=False,
            follow_redirects=False,
            transport=_guarded_transport(resolver, allowed),
        )

    def _client(self, user_supplied: bool) -> httpx.AsyncClient:
        return self._guarded if user_supplied else self._trusted

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        timeout: float = 20.0,
        user_supplied: bool = False,
    ) -> HttpAnswer:
        """One call, the whole answer. Raises HttpError; never follows a redirect."""
        try:
            async with (
                asyncio.timeout(min(timeout, self._limit)),
                self._client(user_supplied).stream(
                    method, url, headers=dict(headers or {}), content=content
                ) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > ANSWER_LIMIT:
                        raise HttpError("the answer is larger than 1 MiB", written=True)
                return HttpAnswer(response.status_code, _lower(response.headers), bytes(body))
        except _NOT_WRITTEN as error:
            raise HttpError(_words(error), written=False) from error
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, ValueError) as error:
            raise HttpError(_words(error), written=True) from error

    @contextlib.asynccontextmanager
    async def download(
        self, url: str, *, headers: Mapping[str, str] | None = None, user_supplied: bool = False
    ) -> AsyncIterator[Download]:
        """Stream an answer, following at most one redirect; every address is checked anew, and
        credentials stay with the host they were for."""
        send = dict(headers or {})
        for hop in range(2):
            try:
                async with self._client(user_supplied).stream("GET", url, headers=send) as response:
                    if response.is_redirect and hop == 0 and response.next_request is not None:
                        target = response.next_request.url
                        if target.host != response.url.host:
                            send = {k: v for k, v in send.items() if k.lower() != "authorization"}
                        url = str(target)
                        continue
                    yield Download(response.status_code, _lower(response.headers), response)
                    return
            except _NOT_WRITTEN as error:
                raise HttpError(_words(error), written=False) from error
            except (httpx.HTTPError, httpx.StreamError, ValueError) as error:
                raise HttpError(_words(error), written=True) from error
        raise HttpError("more than one redirect", written=True)

    async def close(self) -> None:
        await self._trusted.aclose()
        await self._guarded.aclose()


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
