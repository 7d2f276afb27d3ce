"""The sandbox as one ASGI app: providers' APIs, the customers' phone, and the controls.

  /bot<token>/<method>, /file/bot<token>/<path>    Telegram's Bot API
  /callbacks/<channel id>                          a bot that takes our signed webhooks
  /control/…                                       see channels.sandbox.control
  /phone                                           the page on which a person plays the customer

It is for one machine: serve it on a loopback address only.
"""

import asyncio
import re
from importlib.resources import files
from pathlib import Path

from channels.sandbox.bots import Bots
from channels.sandbox.control import Control
from channels.sandbox.customers import Customers
from channels.sandbox.live import Live
from channels.sandbox.outbox import Deliver, LoopbackDeliver, Outbox
from channels.sandbox.seed import seed
from channels.sandbox.store import Store
from channels.sandbox.telegram_api import TelegramApi, TelegramError
from channels.sandbox.weather import Plan, Weather
from channels.sandbox.web import (
    Disconnected,
    Receive,
    Refused,
    Request,
    Response,
    Scope,
    Send,
    answer,
    read_request,
    respond,
)

_LONGEST_HANG = 120.0  # seconds that a "timeout" holds the line
_METHOD = re.compile(r"/bot([^/]{1,200})/([A-Za-z]{1,60})")
_FILE = re.compile(r"/file/bot([^/]{1,200})/(.{1,300})")
_CALLBACK = re.compile(r"/callbacks/(\d{1,15})")
_STATIC = {
    "/phone": ("phone.html", "text/html; charset=utf-8"),
    "/phone.css": ("phone.css", "text/css; charset=utf-8"),
    "/phone.js": ("phone.js", "text/javascript; charset=utf-8"),
    "/phone-view.js": ("phone-view.js", "text/javascript; charset=utf-8"),
}
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self';"
    " connect-src 'self'; form-action 'none'; base-uri 'none'"
)


class Sandbox:
    """Use `create_app`."""

    def __init__(self, directory: Path, deliver: Deliver | None, shop: str, first_retry: float) -> None:
        self.store = Store(directory)
        self._own_deliver = LoopbackDeliver() if deliver is None else None
        self._live = Live()
        self._weather = Weather(self.store)
        chosen = deliver or self._own_deliver
        assert chosen is not None, "one of the two"
        self._outbox = Outbox(self.store, self._weather, self._live, chosen, first_retry)
        self._customers = Customers(self.store, self._outbox, self._live)
        self._telegram = TelegramApi(self.store, self._live)
        self._bots = Bots(self.store, self._customers, self._live)
        self._control = Control(self.store, self._customers, self._outbox, self._weather, self._live, shop)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        delivering = asyncio.create_task(self._outbox.run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        if self._own_deliver:
            await self._own_deliver.close()
        self.store.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = await read_request(scope, receive)
            if request.method == "GET" and request.path == "/control/events":
                await self._events(receive, send)
                return
            plan = self._plan(request)
            if plan and plan.mode in ("429", "500", "502", "blocked", "drop"):
                await self._fail(plan, request, send)
                return
            response = self._route(request)
            if plan and response.status == 200:
                await self._vanish(plan, receive, send)
            else:
                await respond(response, send)
        except Refused as error:
            await respond(answer({"error": error.words}, error.status), send)
        except TelegramError as error:
            await respond(error.response(), send)
        except Disconnected:
            return

    def _plan(self, request: Request) -> Plan | None:
        method = _METHOD.fullmatch(request.path)
        sending = (method and self._telegram.sends(method[2])) or _CALLBACK.fullmatch(request.path)
        return self._weather.next("send") if sending and request.method == "POST" else None

    def _route(self, request: Request) -> Response:
        path = request.path
        if path.startswith("/control/"):
            return self._control.handle(request)
        if found := _METHOD.fullmatch(path):
            return self._telegram.handle(found[1], found[2], request)
        if found := _FILE.fullmatch(path):
            return self._telegram.file(found[1], found[2])
        if (found := _CALLBACK.fullmatch(path)) and request.method == "POST":
            return self._bots.handle(int(found[1]), request)
        return _page(path)

    async def _fail(self, plan: Plan, request: Request, send: Send) -> None:
        """Answer as the provider does when it has not taken the message."""
        self._live.tell("weather")
        if plan.mode == "drop":
            await _cut(send)
        elif plan.mode == "502":
            page = b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
            await respond(Response(502, page, "text/html"), send)
        elif plan.mode == "429":
            seconds = int(plan.seconds)
            error = TelegramError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
            await respond(error.response(), send)
        elif plan.mode == "500":
            await respond(TelegramError(500, "Internal Server Error").response(), send)
        else:
            await respond(TelegramError(403, "Forbidden: bot was blocked by the user").response(), send)

    async def _vanish(self, plan: Plan, receive: Receive, send: Send) -> None:
        """The message was taken, but the answer never arrives."""
        self._live.tell("weather")
        if plan.mode == "timeout":
            try:
                async with asyncio.timeout(_LONGEST_HANG):
                    while (await receive())["type"] != "http.disconnect":
                        continue
            except TimeoutError:
                await _cut(send)
            return
        await _cut(send)

    async def _events(self, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

        async def stream() -> None:
            async for event in self._live.stream():
                await send({"type": "http.response.body", "body": event, "more_body": True})

        streaming = asyncio.create_task(stream())
        try:
            while (await receive())["type"] != "http.disconnect":
                continue
        finally:
            streaming.cancel()
            await asyncio.gather(streaming, return_exceptions=True)


async def _cut(send: Send) -> None:
    """Promise a body and never send it: the server then closes the connection."""
    head = [(b"content-type", b"application/json"), (b"content-length", b"100")]
    await send({"type": "http.response.start", "status": 200, "headers": head})


def _page(path: str) -> Response:
    if path == "/":
        return Response(307, b"", "text/plain", {"location": "/phone"})
    found = _STATIC.get(path)
    if found is None:
        raise Refused(404, "There is nothing here. The phone is at /phone.")
    name, content_type = found
    body = (files("channels.sandbox") / "static" / name).read_bytes()
    return Response(200, body, content_type, {"content-security-policy": _PAGE_POLICY})


def create_app(
    directory: Path,
    deliver: Deliver | None = None,
    *,
    shop: str = "",
    people: bool = True,
    first_retry: float = 1.0,
) -> Sandbox:
    """The sandbox over the data in `directory`, which is made if need be.

    `deliver` posts a webhook (default: httpx, to loopback addresses only); `shop` is the address of the
    web chat's demo page that the phone links to; `people` seeds the eight customers; `first_retry` is
    the first pause of a failed webhook in seconds, as 1 at Telegram.
    """
    directory.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox(directory, deliver, shop, first_retry)
    if people:
        seed(sandbox.store)
    return sandbox
