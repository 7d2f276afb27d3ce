"""The cast of the stories: agents at their screens, customers at their phones, in an account of their own.

    ines = world.customer("Inés")
    await ines.writes("hi", via="telegram")
    await world.olga.sees("hi")
    await world.olga.answers("hello")
    await ines.reads("hello")

Everything goes the real way: customers write on the sandbox's phones (or in the widget's API), agents use
the HTTP API and the live feed with their session's cookie.
"""

import asyncio
import contextlib
import itertools
import json
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from installation import Installation, until
from oracles import broken_files, broken_promises, quiet
from screen import Screen

from channels.standard_webhooks import signed_headers
from inbox.actions import accounts, sessions
from inbox.crypto import Passwords
from inbox.outbox import JobCall, Store

Json = dict[str, Any]

PASSWORD = "a long enough secret"
_numbers = itertools.count(1)


def new_key() -> str:
    return str(uuid.uuid4())


class Agent:
    """Somebody who is signed in. `screen` is their live feed; `api` their requests."""

    def __init__(self, world: "World", name: str, email: str) -> None:
        self.world, self.name, self.email = world, name, email
        self.id = ""
        self.http = httpx.AsyncClient(
            base_url=world.installation.url, timeout=20, trust_env=False,
            headers={"x-forwarded-for": world.address, "origin": world.installation.settings.origin},
        )  # fmt: skip
        self.screen = Screen(world.installation.url, {})
        self._last: Json | None = None

    async def sign_in(self, password: str = PASSWORD) -> httpx.Response:
        answer = await self.http.post("/api/v1/auth/login", json={"email": self.email, "password": password})
        if answer.status_code == 200:
            self.http.headers["x-csrf-token"] = answer.json()["csrf_token"]
            self.id = answer.json()["user"]["id"]
        return answer

    async def enter(self, store: Store, account_id: UUID, user_id: UUID) -> None:
        """Signed in already: hashing a password at the beginning of every story would be most of its time."""
        token = await sessions.open_session(store, account_id, user_id, days=1, user_agent="")
        self.http.cookies.set("meridian", token)
        me = await self.get("/api/v1/me")
        self.http.headers["x-csrf-token"] = me["csrf_token"]
        self.id = me["user"]["id"]

    def new_screen(self) -> Screen:
        """Another window of this person, not connected yet."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        return Screen(
            self.http.base_url.__str__().rstrip("/"), {"cookie": cookie, "origin": self.world.origin}
        )

    async def look_at_the_inbox(self) -> None:
        """Open the screen: a snapshot, then the live feed from its cursor."""
        self.screen = self.new_screen()
        boot = await self.get("/api/v1/boot")
        await self.screen.open(boot["cursor"])

    async def api(
        self, method: str, path: str, json: Any = None, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        return await self.http.request(method, path, json=json, headers=headers, **more)

    async def get(self, path: str) -> Any:
        answer = await self.api("GET", path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    async def does(self, method: str, path: str, json: Any = None, **more: Any) -> Any:
        """A request that must succeed; its JSON."""
        answer = await self.api(method, path, json, **more)
        assert answer.status_code in (200, 201, 204), f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    async def sees(self, text: str, *, state: str | None = None, seconds: float = 10.0) -> Json:
        """Wait until the screen shows a message with this text, without a reload; the message."""
        self._last = await self.screen.message(text, state=state, seconds=seconds)
        return self._last

    async def answers(self, text: str, *, to: str | Json | None = None, **more: Any) -> Json:
        """Answer the conversation of the message that this person saw last (or `to`); the queued message."""
        return await self.does(
            "POST", f"{self._thread(to)}/messages", {"body": text, "client_key": new_key(), **more}
        )

    async def answers_with(self, to: Json, **more: Any) -> httpx.Response:
        """An answer that may be refused."""
        return await self.api(
            "POST", f"{self._thread(to)}/messages", {"body": "x", "client_key": new_key(), **more}
        )

    async def notes(self, text: str, *, to: str | Json | None = None) -> Json:
        return await self.answers(text, to=to, private=True)

    async def changes(
        self, to: str | Json | None = None, *, version: int | None = None, **what: Any
    ) -> httpx.Response:
        headers = {} if version is None else {"if-match": f'"{version}"'}
        return await self.api("PATCH", self._thread(to), what, headers=headers)

    async def thread(self, of: str | Json | None = None) -> list[Json]:
        """The messages of a conversation as the API gives them, without its activity lines."""
        page = await self.get(f"{self._thread(of)}/messages?limit=100")
        return [message for message in page["items"] if message["kind"] != "activity"]

    async def conversation(self, of: str | Json | None = None) -> Json:
        return dict(await self.get(self._thread(of)))

    async def conversations(self, view: str = "all") -> list[Json]:
        return list((await self.get(f"/api/v1/conversations?view={view}&limit=100"))["items"])

    def _thread(self, of: str | Json | None) -> str:
        if of is None:
            assert self._last is not None, "this agent has not seen any message yet"
            of = self._last
        found = of if isinstance(of, str) else of.get("conversation_id", of["id"])
        return f"/api/v1/conversations/{found}"


class Customer:
    """Somebody with a phone in the sandbox, and with the shop's page open in a browser."""

    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name = world, name
        self.username = f"c{next(_numbers)}_{uuid.uuid4().hex[:8]}"
        self.person: Json = {}
        self.chats: dict[str, int] = {}
        self.via = ""
        self.visitor = Visitor(world, name)

    async def exists(self) -> Json:
        """The person in the sandbox; their id is their Telegram id."""
        if not self.person:
            self.person = await self.world.installation.control(
                "POST", "/people", first_name=self.name, username=self.username, language="es",
                time_zone="Europe/Madrid",
            )  # fmt: skip
        return self.person

    async def chat(self, via: str) -> int:
        if via not in self.chats:
            person, channel = await self.exists(), self.world.channels[via]
            made = await self.world.installation.control(
                "POST", "/chats", person_id=person["id"], channel_id=channel.sandbox_id
            )
            self.chats[via] = made["id"]
        return self.chats[via]

    async def writes(self, text: str = "", *, via: str = "telegram", **message: Any) -> Json:
        """Write on a channel; `message` are further fields of the sandbox's control API (type, files …)."""
        self.via = via
        if via == "webchat":
            return await self.visitor.writes(text)
        chat = await self.chat(via)
        body = {"type": "text", **({"text": text} if text else {}), **message}
        rows = await self.world.installation.control("POST", f"/chats/{chat}/messages", **body)
        return dict(rows[0])

    async def edits(self, message: Json, text: str) -> None:
        await self._control("PATCH", f"/messages/{message['message_id']}", text=text)

    async def reacts(self, text: str, emoji: str | None) -> None:
        """React to a message of the business on the phone."""
        number = (await self.reads(text))["message_id"]
        await self._control("POST", f"/messages/{number}/reaction", emoji=emoji)

    async def opens_the_chat(self) -> None:
        """Everything there is has been read."""
        await self._control("POST", "/read")

    async def phone(self, via: str = "") -> list[Json]:
        """What the phone shows, oldest first."""
        shown = await self.world.installation.control("GET", f"/chats/{await self.chat(via or self.via)}")
        return list(shown["messages"])

    async def received(self, via: str = "") -> list[str]:
        """The texts that the business has sent to this phone."""
        return [m["content"].get("text", "") for m in await self.phone(via) if m["author"] == "business"]

    async def reads(self, text: str, *, via: str = "", seconds: float = 10.0) -> Json:
        """Wait until the phone (or the widget) shows this text from the business."""
        if (via or self.via) == "webchat":
            return await self.visitor.reads(text, seconds)

        async def look() -> Json | None:
            shown = await self.phone(via)
            return next(
                (m for m in shown if m["author"] == "business" and m["content"].get("text") == text), None
            )

        found = await until(look, seconds, f"{text[:60]!r} on {self.name}'s phone")
        assert found is not None
        return found

    async def _control(self, method: str, path: str, **body: Any) -> Any:
        chat = await self.chat(self.via)
        return await self.world.installation.control(method, f"/chats/{chat}{path}", **body)


class Visitor:
    """The same customer in the chat widget, through the widget's own API."""

    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name = world, name
        self.token = ""

    @property
    def base(self) -> str:
        return f"/widget/api/{self.world.webchat.id}"

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        http, url = self.world.installation.http, self.world.installation.url
        headers = {"x-forwarded-for": self.world.address}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        return await http.request(method, f"{url}{self.base}{path}", json=body, headers=headers, **more)

    async def arrives(self) -> None:
        if not self.token:
            answer = await self.call("POST", "/session", {"name": self.name, "locale": "es"})
            assert answer.status_code == 201, answer.text
            self.token = answer.json()["token"]

    async def writes(self, text: str, **more: Any) -> Json:
        await self.arrives()
        body = {"client_message_id": uuid.uuid4().hex, "text": text, **more}
        answer = await self.call("POST", "/messages", body)
        assert answer.status_code == 202, answer.text
        return body

    async def shows(self) -> list[Json]:
        answer = await self.call("GET", "/messages")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def reads(self, text: str, seconds: float = 10.0) -> Json:
        async def look() -> Json | None:
            return next((m for m in await self.shows() if m["from"] == "agent" and m["text"] == text), None)

        found = await until(look, seconds, f"{text[:60]!r} in {self.name}'s widget")
        assert found is not None
        return found

    async def tells(self, what: str, message_id: str) -> None:
        """The widget's receipt: received or seen, up to this message."""
        answer = await self.call("POST", "/receipts", {"type": what, "message_id": message_id})
        assert answer.status_code == 202, answer.text


class Channel:
    """A connected channel of the account, and its provider's own voice."""

    def __init__(self, world: "World", kind: str, made: Json) -> None:
        self.world, self.kind = world, kind
        self.id: str = made["channel"]["id"]
        self.secrets: dict[str, str] = made["secrets"]
        self.sandbox_id = 0
        self._updates = itertools.count(500_000_000)

    async def post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """The raw bytes to the channel's webhook."""
        url = f"{self.world.installation.url}/hooks/{self.id}"
        return await self.world.installation.http.post(url, content=body, headers=headers)

    def proof(self, body: bytes) -> dict[str, str]:
        """The headers by which the provider proves that the body comes from it."""
        if self.kind == "telegram":
            return {"x-telegram-bot-api-secret-token": self.secrets["webhook_secret"]}
        return signed_headers(
            self.secrets["inbound_secret"], f"evt_{uuid.uuid4().hex}", datetime.now(UTC), body
        )

    async def says(self, what: Any) -> httpx.Response:
        """A signed webhook with `what`: bytes as they are, anything else as JSON; must be taken."""
        body = what if isinstance(what, bytes) else json.dumps(what).encode()
        answer = await self.post(body, self.proof(body))
        assert answer.status_code == 200, answer.text
        return answer

    def update(self, **what: Any) -> Json:
        """A Telegram Update with a number of its own."""
        return {"update_id": next(self._updates), **what}

    def message(self, text: str | None, number: int, *, chat: Json | None = None, at: float | None = None,
                who: int = 700_900_001, name: str = "Ada", **more: Any) -> Json:  # fmt: skip
        """A Telegram Message in a private chat (or `chat`)."""
        person = {"id": who, "is_bot": False, "first_name": name, "language_code": "es"}
        private = {"id": who, "type": "private", "first_name": name}
        body: Json = {
            "message_id": number, "from": person, "chat": chat or private, "date": int(at or time.time()),
        }  # fmt: skip
        return body | ({} if text is None else {"text": text}) | more

    def event(
        self, text: str, external_id: str, *, who: str = "erp-1", kind: str = "message.created", **more: Any
    ) -> Json:
        """A bot's event."""
        return {
            "type": kind,
            "timestamp": datetime.now(UTC).isoformat(),
            "data": {
                "external_id": external_id,
                "contact": {"source_id": who, "name": "Ada Sample"},
                "content": {"type": "text", "text": text},
                **more,
            },
        }


class World:
    """An account with olga (its owner) and diego, and Telegram, web chat and a bot connected."""

    def __init__(self, installation: Installation, name: str = "Harbour Goods") -> None:
        self.installation, self.name = installation, name
        number = next(_numbers)
        # Every account calls from an address of its own, so that rate limits do not join the stories.
        self.address = f"198.51.{number // 200}.{number % 200 + 1}"
        self.origin = installation.settings.origin
        self.mark = f"{number}-{uuid.uuid4().hex[:6]}"
        self.account_id = UUID(int=0)
        self.olga = Agent(self, "Olga Petrova", f"olga{self.mark}@example.com")
        self.diego = Agent(self, "Diego Ramos", f"diego{self.mark}@example.com")
        self.channels: dict[str, Channel] = {}
        self._customers: dict[str, Customer] = {}

    @property
    def telegram(self) -> Channel:
        return self.channels["telegram"]

    @property
    def webchat(self) -> Channel:
        return self.channels["webchat"]

    @property
    def bot(self) -> Channel:
        return self.channels["bot"]

    @property
    def owner(self) -> "asyncpg.Pool[asyncpg.Record]":
        """A connection that no wall stops."""
        return self.installation.owner

    def customer(self, name: str) -> Customer:
        """Somebody of that first name, the same one within a story."""
        return self._customers.setdefault(name, Customer(self, name))

    async def weather(self, mode: str, count: int = 1, **more: Any) -> None:
        await self.installation.weather(mode, count, **more)

    async def found(self, passwords: Passwords) -> None:
        """The workspace, its owner and the second agent, signed in and at their screens."""
        store = Store(self.installation.ground.database, Silence())
        self.account_id, owner_id = await accounts.found(
            store, passwords, workspace=f"{self.name} {self.mark}", name=self.olga.name, email=self.olga.email,
            password=PASSWORD, time_zone="UTC", shards=self.installation.settings.stream_shards, only_first=False,
        )  # fmt: skip
        await self.olga.enter(store, self.account_id, owner_id)
        made = await self.olga.does(
            "POST",
            "/api/v1/agents",
            {"name": self.diego.name, "email": self.diego.email, "password": PASSWORD},
        )
        await self.diego.enter(store, self.account_id, UUID(made["id"]))
        await self.olga.look_at_the_inbox()
        await self.diego.look_at_the_inbox()

    async def connect(self) -> None:
        """The three channels, at both ends."""
        control, sandbox = self.installation.control, self.installation.sandbox_url
        token = f"{7_000_000_000 + next(_numbers)}:{uuid.uuid4().hex}"
        registered = await control("POST", "/channels", kind="telegram", name=f"Bot {self.mark}", token=token)
        # The secret is ours to choose, as it is in a real installation, so that a story can forge with it.
        settings = {"bot_token": token, "api_url": sandbox, "webhook_secret": uuid.uuid4().hex}
        made = await self.connects("telegram", "Telegram", settings)
        assert made["probe"]["ok"], made["probe"]
        self.telegram.sandbox_id = registered["id"]
        self.telegram.secrets = settings
        await self.connects("webchat", "Shop chat", {})
        made = await self.connects("bot", "Order bot", {"callback_url": f"{sandbox}/callbacks/0"})
        registered = await control(
            "POST", "/channels", kind="bot", name=f"Orders {self.mark}", hook_url=made["channel"]["hook_url"],
            auto_read=False, **made["secrets"],
        )  # fmt: skip
        self.bot.sandbox_id = registered["id"]
        callback = {"settings": {"callback_url": f"{sandbox}/callbacks/{registered['id']}"}}
        await self.olga.does("PATCH", f"/api/v1/channels/{self.bot.id}", callback)

    async def connects(self, kind: str, name: str, settings: dict[str, str]) -> Json:
        made: Json = await self.olga.does(
            "POST", "/api/v1/channels", {"kind": kind, "name": name, "settings": settings}
        )
        self.channels[kind] = Channel(self, kind, made)
        return made

    async def quiet(self) -> None:
        """Wait until nothing is under way."""
        await quiet(self.installation, self.account_id)

    async def ledger(self, channel: str = "telegram") -> list[Json]:
        """What the provider accepted from us on this channel, in order."""
        rows = await self.installation.control("GET", "/ledger")
        return [row for row in rows if row["channel_id"] == self.channels[channel].sandbox_id]

    async def rows(self, sql: str, *values: Any) -> list[Json]:
        """Rows of the database, whichever account's; $1 is this account."""
        return [dict(row) for row in await self.owner.fetch(sql, self.account_id, *values)]

    async def broken(self) -> list[str]:
        """Every promise that this account's rows, files and screens break."""
        files = self.installation.settings.data_dir / "files"
        broken = await broken_promises(self.owner, self.account_id)
        broken += await broken_files(self.owner, self.account_id, files)
        for agent in (self.olga, self.diego):
            if agent.screen._problem:
                broken.append(f"P6: {agent.name}'s screen: {agent.screen._problem}")
        return broken

    async def close(self) -> None:
        for agent in (self.olga, self.diego):
            await agent.screen.close()
            await agent.http.aclose()


class Silence:
    """A bell for what happens beside both processes, where nobody waits for it."""

    async def ring(self, account_id: UUID, jobs: list[JobCall]) -> None:
        return


@contextlib.asynccontextmanager
async def account(
    installation: Installation, passwords: Passwords, name: str = "Harbour Goods"
) -> AsyncIterator[World]:
    """A fresh account with its cast, for the length of a block; the oracles are asked when it ends well."""
    world = World(installation, name)
    try:
        await world.found(passwords)
        await world.connect()
        yield world
        await world.quiet()
        broken = await world.broken()
        assert not broken, "\n".join(broken)
    finally:
        await installation.control("DELETE", "/weather")
        await world.close()


async def gather(*things: Any) -> list[Any]:
    return list(await asyncio.gather(*things))
