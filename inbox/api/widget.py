"""The customers' chat widget: its API and its live feed, all of it under /widget/api/{channel_id}.

The frame that calls these comes from our own origin, so no other origin is let in. What a visitor says
enters by the same door as every provider's webhook: committed first, understood later.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, WebSocket, get, post, websocket
from litestar.di import Provide
from litestar.exceptions import WebSocketDisconnect
from litestar.params import QueryParameter
from litestar.response import Stream
from litestar.router import Router
from msgspec import Meta, Struct

from channels.base import Adapter
from inbox import shifts
from inbox.actions import media
from inbox.api import shop, visitor_sessions
from inbox.api.conversations import position
from inbox.api.files import FileUpload, as_response, chunks_of
from inbox.api.guards import check_request, client_address, lower_headers, same_origin
from inbox.api.live import SocketOf, frames_of
from inbox.api.services import Services
from inbox.api.times import now
from inbox.api.visitor_sessions import Visitor, widget_channel
from inbox.errors import BadInput, NotFound, ProblemError
from inbox.outbox import new_id
from inbox.records import accounts, attachments, contacts, messages, users, visitors
from inbox.records.contacts import Identity
from inbox.records.raw_events import Arrival
from inbox.records.users import User
from inbox.visitors import VisitorMessage, message_for_visitor
from realtime.protocol import FORBIDDEN, MAX_CLIENT_FRAME, TRY_AGAIN_LATER, UNAUTHENTICATED
from routing.calendars import next_opening

PAGE = 50
FILES_AT_ONCE = 10
FIRST_FRAME_SECONDS = 10.0
BRAND = "#7a12d4"
LOCALES = ("en", "es", "zh", "ru")

Label = Annotated[str, Meta(max_length=200)]


class AgentName(Struct, frozen=True):
    name: str


class WidgetConfig(Struct, frozen=True, omit_defaults=True):
    """What the frame shows before anything is said. Limits: UTF-16 units and bytes."""

    name: str
    workspace: str
    color: str
    greeting: str
    locales: tuple[str, ...]
    online: bool
    agents: tuple[AgentName, ...]
    upload_limit: int
    text_limit: int
    back_at: datetime | None = None


class NewSession(Struct, frozen=True):
    token: str | None = None
    name: Label | None = None
    email: Annotated[str, Meta(max_length=254)] | None = None
    locale: Annotated[str, Meta(max_length=35)] = ""  # RFC 5646 asks for room for 35 characters
    time_zone: Annotated[str, Meta(max_length=64)] = ""


class WidgetSession(Struct, frozen=True):
    token: str
    visitor_id: UUID
    expires_at: datetime


class Page(Struct, frozen=True):
    url: Annotated[str, Meta(max_length=2048)]
    title: Label = ""


class Attached(Struct, frozen=True):
    upload_id: UUID


class VisitorWrites(Struct, frozen=True):
    """`client_message_id` makes a repeat harmless."""

    client_message_id: Annotated[str, Meta(min_length=8, max_length=64, pattern=r"^[\w-]+$")]
    text: str = ""
    attachments: Annotated[tuple[Attached, ...], Meta(max_length=FILES_AT_ONCE)] = ()
    page: Page | None = None


class Taken(Struct, frozen=True):
    client_message_id: str


class VisitorReceipt(Struct, frozen=True):
    """Everything up to `message_id` has reached the frame, or was seen by the visitor."""

    type: Literal["received", "seen"]
    message_id: UUID


class VisitorPage(Struct, frozen=True):
    """Oldest first. `has_more` in the direction that was asked for."""

    items: list[VisitorMessage]
    resolved: bool
    has_more: bool


class Uploaded(Struct, frozen=True):
    upload_id: UUID
    name: str
    content_type: str
    size: int


class _Opening(Struct, frozen=True):
    """The first frame of a visitor's socket."""

    type: Literal["resume"]
    token: str
    cursor: str | None = None


_opening = msgspec.json.Decoder(_Opening)


def _availability(people: list[User], at: datetime) -> tuple[list[User], datetime | None]:
    """Who is there to answer, and when somebody is next when nobody is."""
    active = [user for user in people if user.active]
    here = [user for user in active if user.availability == "available" and shifts.on_shift(user, at)]
    if here:
        return here, None
    openings = [
        next_opening(shifts.calendar_of(user), at) for user in active if not shifts.on_shift(user, at)
    ]
    return [], min((opening for opening in openings if opening), default=None)


@get("/config")
async def get_config(services: Services, channel_id: UUID) -> WidgetConfig:
    """How the widget looks, and whether somebody is there."""
    channel = await widget_channel(services, channel_id)
    adapter: Adapter = services.adapters.kind(channel.kind)
    async with services.store.read(channel.account_id) as tx:
        account = await accounts.get(tx)
        people = await users.everybody(tx)
    here, back_at = _availability(people, now())
    return WidgetConfig(
        name=channel.name,
        workspace=account.name,
        color=channel.settings.get("color") or BRAND,
        greeting=channel.settings.get("greeting", ""),
        locales=LOCALES,
        online=bool(here),
        agents=tuple(AgentName(user.name.split(" ")[0]) for user in here[:2]),
        upload_limit=min(adapter.capabilities.file_limit, services.settings.upload_limit),
        text_limit=adapter.capabilities.text_limit,
        back_at=back_at,
    )


@post("/session", status_code=201)
async def open_session(
    data: NewSession, request: Request[Any, Any, Any], services: Services, channel_id: UUID
) -> WidgetSession:
    """Become a visitor, or go on as the one whom `token` names."""
    await services.throttle.spend(f"widget:session:{client_address(request.scope)}", 30, 3600)
    channel = await widget_channel(services, channel_id)
    if data.token:
        visitor = visitor_sessions.read(services, channel_id, data.token)
    else:
        visitor_id = new_id()
        identity = Identity(
            "visitor", str(channel_id), str(visitor_id), data.name or data.email or "Visitor",
            language=data.locale or None, time_zone=data.time_zone or None, email=data.email,
        )  # fmt: skip
        async with services.store.write(channel.account_id) as work:
            known = await contacts.resolve(work, identity)
        visitor = Visitor(channel.account_id, channel_id, visitor_id, known.contact_id)
    expires_at = now() + visitor_sessions.LIFETIME
    return WidgetSession(visitor_sessions.sign(services, visitor), visitor.visitor_id, expires_at)


@get("/messages")
async def list_messages(
    services: Services, visitor: Visitor, after: str | None = None, before: str | None = None
) -> VisitorPage:
    """The visitor's own thread: its newest messages, or those after or before a `sort`."""
    async with services.store.read(visitor.account_id) as tx:
        ids, has_more = await visitors.page(
            tx, visitor.contact_id, visitor.channel_id, limit=PAGE,
            before=position(before) if before else None, after=position(after) if after else None,
        )  # fmt: skip
        views = await messages.views_unscoped(tx, ids)
        status = await visitors.thread_status(tx, visitor.contact_id, visitor.channel_id)
    shown = [item for view in views if (item := message_for_visitor(view)) is not None]
    return VisitorPage(shown, status == "resolved", has_more)


@post("/messages", status_code=202)
async def write_message(data: VisitorWrites, services: Services, visitor: Visitor) -> Taken:
    """Take a message. It is committed when this answers."""
    await services.throttle.spend(f"widget:message:{visitor.visitor_id}", 60, 60)
    channel = await widget_channel(services, visitor.channel_id)
    limit = services.adapters.kind(channel.kind).capabilities.text_limit
    if len(data.text) > limit:
        raise BadInput(f"A message may have at most {limit} characters.", field="text")
    if not data.text.strip() and not data.attachments:
        raise BadInput("Write something or attach a file.", field="text")
    frame: dict[str, Any] = {
        "type": "message",
        "client_message_id": data.client_message_id,
        "text": data.text,
        "visitor": {"id": str(visitor.visitor_id)},
        "attachments": await _attached(services, visitor, [item.upload_id for item in data.attachments]),
    }
    if data.page is not None:
        frame["page"] = {"url": data.page.url, "title": data.page.title}
    await _accept(services, visitor, frame)
    return Taken(data.client_message_id)


async def _attached(services: Services, visitor: Visitor, ids: list[UUID]) -> list[dict[str, Any]]:
    """The uploads as the frame names them, told by our records and not by the visitor. Raises BadInput."""
    if not ids:
        return []
    async with services.store.read(visitor.account_id) as tx:
        found = {row["id"]: row for row in await visitors.uploads(tx, visitor.owner, ids)}
    if missing := [item for item in ids if item not in found]:
        raise BadInput(f"{len(missing)} of the files are not here any more. Attach them again.")
    return [
        {
            "upload_id": str(item),
            "name": found[item]["name"],
            "content_type": found[item]["content_type"],
            "size": found[item]["size"],
        }
        for item in ids
    ]


async def _accept(services: Services, visitor: Visitor, frame: dict[str, Any]) -> None:
    body = msgspec.json.encode(frame)
    await services.acceptor.accept(Arrival(visitor.account_id, new_id(), visitor.channel_id, "{}", body))


@post("/receipts", status_code=202)
async def take_receipt(data: VisitorReceipt, services: Services, visitor: Visitor) -> None:
    """Note that agents' messages arrived or were seen."""
    await services.throttle.spend(f"widget:receipt:{visitor.visitor_id}", 240, 60)
    async with services.store.read(visitor.account_id) as tx:
        if not await visitors.may_see(tx, visitor.contact_id, visitor.channel_id, data.message_id):
            raise NotFound("There is no such message.")
    frame = {
        "type": data.type,
        "message_id": str(data.message_id),
        "visitor": {"id": str(visitor.visitor_id)},
    }
    await _accept(services, visitor, frame)


@post("/uploads", status_code=201, request_max_body_size=None)
async def upload_file(data: FileUpload, services: Services, visitor: Visitor) -> Uploaded:
    """Upload a file, to be named in a message within a day."""
    await services.throttle.spend(f"widget:upload:{visitor.visitor_id}", 60, 600)
    channel = await widget_channel(services, visitor.channel_id)
    limit = min(services.adapters.kind(channel.kind).capabilities.file_limit, services.settings.upload_limit)
    stored = await media.upload(
        services.store, services.blobs, visitor.account_id, visitor.owner, data.file.filename or "file",
        data.file.content_type, chunks_of(data.file), limit,
    )  # fmt: skip
    return Uploaded(stored.id, stored.name, stored.content_type, stored.size or 0)


@get("/files/{attachment_id:uuid}")
async def get_file(
    services: Services,
    channel_id: UUID,
    attachment_id: UUID,
    key: Annotated[str, QueryParameter(name="token")] = "",
    download: bool = False,
) -> Stream:
    """A file of the visitor's thread, or one that they uploaded. Pictures and links carry no headers, so
    the token stands in the address."""
    visitor = visitor_sessions.read(services, channel_id, key)
    async with services.store.read(visitor.account_id) as tx:
        found = await attachments.of_contact(tx, visitor.contact_id, attachment_id)
        if found is None and await visitors.uploads(tx, visitor.owner, [attachment_id]):
            found = await attachments.get_unscoped(tx, attachment_id)
    if found is None or found.state != "ready":
        raise NotFound("This file does not exist, or is not here yet.")
    return as_response(services, found, download=download)


@websocket("/realtime")
async def realtime(socket: WebSocket[Any, Any, Any], services: Services, channel_id: UUID) -> None:
    """What is new in the visitor's thread. The first frame carries the token: addresses are logged."""
    await socket.accept()
    ends = SocketOf(socket)
    if not same_origin(lower_headers(socket.scope), services):
        await ends.close(FORBIDDEN, "other origin")
        return
    try:
        opening = await _first_frame(socket)
        visitor = visitor_sessions.read(services, channel_id, opening.token)
    except (TimeoutError, WebSocketDisconnect):
        await ends.close(TRY_AGAIN_LATER, "nothing was said")
        return
    except (msgspec.MsgspecError, ProblemError):
        await ends.close(UNAUTHENTICATED, "this chat has expired")
        return
    connection = services.hub.connect(
        ends,
        log=str(visitor.account_id),
        topics={visitor.topic},
        user=visitor.owner,
        tags={"channel": str(channel_id)},
    )
    await connection.run(_frames(socket, opening))


async def _first_frame(socket: WebSocket[Any, Any, Any]) -> _Opening:
    async with asyncio.timeout(FIRST_FRAME_SECONDS):
        data = await socket.receive_data(mode="text")
    return _opening.decode(data[:MAX_CLIENT_FRAME])


async def _frames(socket: WebSocket[Any, Any, Any], opening: _Opening) -> AsyncIterator[bytes | str]:
    """The frames as the hub knows them: its resume has no token."""
    yield msgspec.json.encode({"type": "resume", "cursor": opening.cursor})
    async for frame in frames_of(socket):
        yield frame


HANDLERS: tuple[Any, ...] = (
    Router(
        "/widget/api/{channel_id:uuid}",
        route_handlers=[
            get_config, open_session, list_messages, write_message, take_receipt, upload_file, get_file, realtime,
        ],
        dependencies={"visitor": Provide(visitor_sessions.current_visitor)},
        guards=[check_request],
        include_in_schema=False,
    ),
    shop.demo_shop,
)  # fmt: skip
