"""Fills the demo workspace, through the same doors as everybody: the first-run page, the API, and
customers who write to the sandbox's providers.
"""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from inbox.demo_cast import CAST, PASSWORD

_PATIENCE = 20.0  # seconds for one step to be seen
_WEEK = [[day, 8 * 60, 18 * 60] for day in range(7)]
_LABELS = {"Delivery": "#8a5200", "Refund": "#b3261e", "Question": "#2456a6", "VIP": "#7a12d4"}

Json = dict[str, Any]


class _Person:
    """Somebody signed in to the product."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(base_url=address, timeout=15, trust_env=False)

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        answer = self.http.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def enter(self, session: Json) -> Json:
        self.http.headers["x-csrf-token"] = session["csrf_token"]
        return session

    def sign_in(self, email: str) -> Json:
        return self.enter(self.call("POST", "/api/v1/auth/login", {"email": email, "password": PASSWORD}))

    def say(self, conversation: str, text: str, *, private: bool = False) -> None:
        body = {"body": text, "private": private, "client_key": str(uuid.uuid4())}
        self.call("POST", f"/api/v1/conversations/{conversation}/messages", body)


def _until(look: Callable[[], Any]) -> Any:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + _PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError("the demo workspace could not be filled: a message did not arrive")
        time.sleep(0.05)
    return found


class Stage:
    """`say` is told what is being done, for the terminal."""

    def __init__(self, address: str, sandbox: str, setup_token: str, say: Callable[[str], None]) -> None:
        self._address = address
        self._sandbox_url = sandbox
        self._token = setup_token
        self._say = say
        self._sandbox = httpx.Client(base_url=sandbox, timeout=15, trust_env=False)
        self._owner = _Person(address)

    def fill(self) -> None:
        """Raises httpx.HTTPError, TimeoutError."""
        self._say("creating the workspace and its people")
        self._found()
        self._say("connecting web chat, Telegram and a bot")
        telegram, bot = self._connect()
        self._say("customers are writing")
        self._play(telegram, bot)

    def _found(self) -> None:
        name, email, zone = CAST[0]
        body = {"token": self._token, "workspace": "Solstice Outfitters", "name": name, "email": email,
                "password": PASSWORD, "time_zone": zone}  # fmt: skip
        self._owner.enter(self._owner.call("POST", "/api/v1/setup", body))
        for name, email, zone in CAST[1:]:
            agent = {"name": name, "email": email, "password": PASSWORD, "role": "agent", "time_zone": zone,
                     "schedule": _WEEK}  # fmt: skip
            self._owner.call("POST", "/api/v1/agents", agent)
        self._labels = {
            name: self._owner.call("POST", "/api/v1/labels", {"name": name, "color": color})["id"]
            for name, color in _LABELS.items()
        }

    def _connect(self) -> tuple[int, int]:
        """(Telegram channel, bot channel) as the sandbox numbers them."""
        self._owner.call("POST", "/api/v1/channels", {"kind": "webchat", "name": "Shop chat"})
        bot_token = "7000000001:demo-sandbox-token-not-a-secret"  # noqa: S105 - known to the sandbox only
        telegram = self._control(
            "channels", {"kind": "telegram", "name": "Solstice on Telegram", "token": bot_token}
        )
        self._owner.call(
            "POST", "/api/v1/channels",
            {"kind": "telegram", "name": "Solstice on Telegram",
             "settings": {"bot_token": bot_token, "api_url": self._sandbox_url}},
        )  # fmt: skip
        made = self._owner.call(
            "POST", "/api/v1/channels",
            {"kind": "bot", "name": "Order bot", "settings": {"callback_url": f"{self._sandbox_url}/callbacks/0"}},
        )  # fmt: skip
        bot = self._control(
            "channels",
            {"kind": "bot", "name": "Order bot", "hook_url": made["channel"]["hook_url"], **made["secrets"]},
        )
        callback = {"callback_url": f"{self._sandbox_url}/callbacks/{bot['id']}"}
        self._owner.call("PATCH", f"/api/v1/channels/{made['channel']['id']}", {"settings": callback})
        return telegram["id"], bot["id"]

    def _control(self, path: str, body: Json) -> Any:
        answer = self._sandbox.post(f"/control/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def _play(self, telegram: int, bot: int) -> None:
        people = {row["first_name"]: row for row in self._sandbox.get("/control/people").json()}
        amina, diego, mele = (_Person(self._address) for _ in range(3))
        for person, (_, email, _) in zip((amina, diego, mele), CAST[1:], strict=True):
            person.sign_in(email)

        lars = self._write(
            people["Lars"], telegram, [{"text": "Hi! Do you ship the Norrland tent to Uppsala?"}]
        )
        diego.say(lars, "Hi Lars! Yes, we ship to Sweden in **3-5 days**. Shipping is free over 80 €.")
        self._write(people["Lars"], telegram, [{"text": "Perfect, ordering it now. Thanks!"}])
        self._owner.call("PATCH", f"/api/v1/conversations/{lars}", {"status": "resolved"})

        ines = self._write(
            people["Inés"], telegram,
            [{"text": "Hola, mi pedido 88231 llegó hoy pero la mochila viene con la correa rota 😕"},
             {"type": "photo", "text": "Así ha llegado"}],
        )  # fmt: skip
        amina.say(ines, "Stock in Madrid has two of these left, see order 88231.", private=True)
        amina.say(
            ines, "¡Hola Inés! Lo siento mucho. Te enviamos **una correa nueva hoy mismo**, sin coste. "
            "¿La dirección sigue siendo la del pedido?",
        )  # fmt: skip
        self._write(people["Inés"], telegram, [{"text": "Sí, la misma. ¡Mil gracias!"}])
        self._label(ines, "Delivery", "VIP")

        sizes = "返品の手続きについて教えてください。サイズが合いませんでした。"
        kenji = self._write(people["Kenji"], telegram, [{"text": sizes}])
        self._label(kenji, "Refund")
        self._write(
            people["Amara"], telegram, [{"type": "voice"}, {"text": "Sorry, easier to say than to type 😄"}]
        )
        layla = self._write(people["Layla"], telegram, [{"text": "مرحبا، هل الخيمة متوفرة باللون الأزرق؟"}])
        self._label(layla, "Question")
        tomorrow = (datetime.now(UTC) + timedelta(hours=18)).isoformat()
        hana = self._write(
            people["Hana"], telegram, [{"text": "Could you call me tomorrow about the group order?"}]
        )
        self._owner.call("PATCH", f"/api/v1/conversations/{hana}", {"snoozed_until": tomorrow})
        mateus = self._write(
            people["Mateus"], bot,
            [{"text": "Order 77120: please change the delivery address before it leaves the warehouse."}],
        )  # fmt: skip
        self._owner.call("PATCH", f"/api/v1/conversations/{mateus}", {"priority": "high"})
        self._write(
            people["Priya"], telegram,
            [{"text": "Where is this shop exactly?"}, {"type": "location", "latitude": 18.5204, "longitude": 73.8567}],
        )  # fmt: skip

    def _write(self, person: Json, channel: int, messages: list[Json]) -> str:
        """The customer writes; the conversation, once all of it is there."""
        chat = self._control("chats", {"person_id": person["id"], "channel_id": channel})
        for message in messages:
            self._control(f"chats/{chat['id']}/messages", message)
        last = next((m["text"] for m in reversed(messages) if m.get("text")), "")

        def arrived() -> str | None:
            for view in ("all", "resolved", "snoozed"):
                listed = self._owner.call("GET", f"/api/v1/conversations?view={view}&limit=50")
                for item in listed["items"]:
                    if item["contact"]["name"].startswith(person["first_name"]) and self._holds(
                        item["id"], last
                    ):
                        return str(item["id"])
            return None

        found: str = _until(arrived)
        contact = self._owner.call("GET", f"/api/v1/conversations/{found}")["contact"]["id"]
        known = {"time_zone": person["time_zone"], "language": person["language"]}
        self._owner.call("PATCH", f"/api/v1/contacts/{contact}", known)
        return found

    def _holds(self, conversation: str, text: str) -> bool:
        messages = self._owner.call("GET", f"/api/v1/conversations/{conversation}/messages")["items"]
        return any(text in message["text"] for message in messages)

    def _label(self, conversation: str, *names: str) -> None:
        ids = [self._labels[name] for name in names]
        self._owner.call("PATCH", f"/api/v1/conversations/{conversation}", {"label_ids": ids})
