"""The built front end: pages, hashed assets, precompressed, with a Content-Security-Policy each.

Reads only names that were found by looking; a path from the network never reaches the file system.
"""

import mimetypes
from pathlib import Path

import msgspec
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Receive, Scope, Send
from msgspec import Struct

ROOT = Path(__file__).parent.parent / "static"

_API = ("/api/", "/hooks/", "/files/", "/health/", "/metrics", "/widget/api/", "/demo/", "/realtime")
_ENCODINGS = (("br", b"br"), ("gz", b"gzip"))
_MISSING = (
    b"<!doctype html><meta charset=utf-8><title>Meridian</title><p>The front end has not been built. "
    b"Run <code>make setup</code>, then reload."
)


class _Hashes(Struct, frozen=True):
    """csp.json, written by the front end's build: the hashes of its inline scripts and styles."""

    script: tuple[str, ...] = msgspec.field(default=(), name="script-src")
    style: tuple[str, ...] = msgspec.field(default=(), name="style-src")


def _policy(folder: Path, *, frame_ancestors: str) -> str:
    try:
        hashes = msgspec.json.decode((folder / "csp.json").read_bytes(), type=_Hashes)
    except FileNotFoundError:
        hashes = _Hashes()
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *hashes.script)),
            " ".join(("style-src 'self'", *hashes.style)),
            "style-src-attr 'unsafe-inline'",  # sizes of virtual lists; attributes run nothing
            "img-src 'self' blob: data:",
            "media-src 'self' blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "frame-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {frame_ancestors}",
        )
    )


def is_api(path: str) -> bool:
    """Whether an address belongs to the API rather than to the pages."""
    return path.startswith(_API) or path == "/openapi.json"


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


class Pages:
    """Serves GET of everything that is no API: an asset by its name, any other path the inbox's page."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._built: tuple[int, ...] = ()
        self._look()

    def _look(self) -> None:
        """Find the files again when the front end was built since the last look."""
        built = tuple(_changed(self._root / name) for name in ("csp.json", "widget/csp.json"))
        if built == self._built:
            return
        self._built = built
        root = self._root
        self._files = {
            "/" + path.relative_to(root).as_posix(): path
            for path in root.rglob("*")
            if path.is_file() and path.suffix not in (".br", ".gz") and path.name != "csp.json"
        }
        self._policies = {
            "/widget/": _policy(root / "widget", frame_ancestors="*"),
            "/docs": _policy(root / "docs", frame_ancestors="'none'"),
            "/": _policy(root, frame_ancestors="'none'"),
        }

    def policies(self, path: str) -> str | None:
        """The policy of the page at a path; None for what is not a page."""
        if is_api(path):
            return None
        return next(policy for prefix, policy in self._policies.items() if path.startswith(prefix))

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        path = scope["path"] or "/"
        if scope["type"] != ScopeType.HTTP:
            await send({"type": "websocket.close", "code": 4404, "reason": "no such feed"})
            return
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, b"", [(b"allow", b"GET, HEAD")])
            return
        file = self._find(path)
        if file is None:
            body = b"" if "." in path.rpartition("/")[2] else _MISSING
            await _answer(
                send, 404 if not body else 503, body, [(b"content-type", b"text/html; charset=utf-8")]
            )
            return
        await self._send(file, scope, send)

    def _find(self, path: str) -> Path | None:
        if "." not in path.rpartition("/")[2]:
            self._look()
        if path.rstrip("/") in ("/widget", "/docs"):
            return self._files.get(f"{path.rstrip('/')}/index.html")
        if (file := self._files.get(path)) is not None:
            return file
        is_asset = "." in path.rpartition("/")[2]
        return None if is_asset else self._files.get("/index.html")

    async def _send(self, file: Path, scope: HTTPScope, send: Send) -> None:
        accepted = next((value for name, value in scope["headers"] if name == b"accept-encoding"), b"")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if kind.startswith("text/") or kind.endswith(("javascript", "json")):
            kind += "; charset=utf-8"
        hashed = "assets" in file.parts
        headers = [
            (b"content-type", kind.encode()),
            (b"cache-control", b"public, max-age=31536000, immutable" if hashed else b"no-cache"),
            (b"vary", b"accept-encoding"),
        ]
        if file.name == "loader.js":
            headers.append((b"cross-origin-resource-policy", b"cross-origin"))
        for suffix, name in _ENCODINGS:
            packed = file.with_name(f"{file.name}.{suffix}")
            if name in accepted and packed.exists():
                file = packed
                headers.append((b"content-encoding", name))
                break
        try:
            # Small files from the page cache; a thread would cost more than the read.
            body = file.read_bytes()
        except FileNotFoundError:
            # A new build took it away while an older page was open.
            await _answer(send, 404, b"", [(b"content-type", b"text/html; charset=utf-8")])
            return
        await _answer(send, 200, body, headers, head=scope["method"] == "HEAD")


async def _answer(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]], *, head: bool = False
) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body, "more_body": False})
