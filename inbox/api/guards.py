"""At the door of every API request: origin, session, CSRF token, content type.

A browser's request is believed only if it comes from our own pages: Sec-Fetch-Site or Origin must say so
(Litestar checks neither), and an unsafe request must carry the token that belongs to its session.
"""

import hmac
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection, Request
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope as AsgiScope

from inbox.access import Scope
from inbox.api.services import Services
from inbox.errors import BadInput, Forbidden, Unauthenticated

_SAFE = {"GET", "HEAD", "OPTIONS"}


def cookie_name(secure: bool) -> str:
    return "__Host-meridian" if secure else "meridian"


def session_token(connection: "ASGIConnection[Any, Any, Any, Any]", services: Services) -> str | None:
    return connection.cookies.get(cookie_name(services.settings.secure))


def same_origin(headers: dict[str, str], services: Services) -> bool:
    """Whether a browser says that the request comes from our own pages, or no browser speaks at all."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    return origin == services.settings.origin or urlsplit(origin).netloc == headers.get("host", "")


def lower_headers(scope: AsgiScope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def check_request(connection: "ASGIConnection[Any, Any, Any, Any]", _: BaseRouteHandler) -> None:
    """Litestar guard of the whole API. Raises Forbidden, BadInput."""
    services: Services = connection.app.state.services
    method = connection.scope.get("method", "GET")
    if method in _SAFE:
        return
    headers = lower_headers(connection.scope)
    if not same_origin(headers, services):
        raise Forbidden("This request comes from another site.")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if headers.get("content-length", "0") != "0" and kind not in ("application/json", "multipart/form-data"):
        raise BadInput("Send application/json.")


async def check_csrf(connection: "ASGIConnection[Any, Any, Any, Any]", _: BaseRouteHandler) -> None:
    """Litestar guard of everything behind the sign-in. Raises Unauthenticated, Forbidden."""
    services: Services = connection.app.state.services
    token = session_token(connection, services)
    if token is None:
        raise Unauthenticated
    if connection.scope.get("method", "GET") in _SAFE:
        return
    given = lower_headers(connection.scope).get("x-csrf-token", "")
    if not hmac.compare_digest(given.encode("latin-1"), services.csrf.fixed(token).encode()):
        raise Forbidden("This page is out of date. Reload it.", reason="csrf")


async def current_scope(request: "Request[Any, Any, Any]") -> Scope:
    """Dependency: who is signed in. Raises Unauthenticated."""
    services: Services = request.app.state.services
    token = session_token(request, services)
    scope = await services.sessions.scope_of(token) if token else None
    if scope is None:
        raise Unauthenticated
    return scope


def client_address(scope: AsgiScope) -> str:
    """The caller's address (uvicorn has applied X-Forwarded-For of the trusted proxies); for IPv6 its /64."""
    client = scope.get("client")
    host = client[0] if client else "unknown"
    return ":".join(host.split(":")[:4]) if ":" in host else host
