"""Security headers on every answer, errors included."""

from collections.abc import Callable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from inbox.settings import Settings

_API_POLICY = "default-src 'none'; frame-ancestors 'none'"


class SecurityHeaders:
    """`policy_of` gives a page's Content-Security-Policy by its path; whatever is not a page gets none of
    the powers of one. An answer that brings its own policy (files, widget) keeps it."""

    def __init__(self, app: ASGIApp, settings: Settings, policy_of: Callable[[str], str | None]) -> None:
        self._app, self._policy_of = app, policy_of
        self._fixed = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"strict-origin-when-cross-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=(self)"),
        ]
        if settings.secure:
            self._fixed.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        path = scope["path"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                present = {name.lower() for name, _ in headers}
                if b"content-security-policy" not in present:
                    policy = self._policy_of(path) or _API_POLICY
                    headers.append((b"content-security-policy", policy.encode()))
                if b"cache-control" not in present:
                    headers.append((b"cache-control", b"no-store"))
                headers += [item for item in self._fixed if item[0] not in present]
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, send_with_headers)
