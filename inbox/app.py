"""The roof of the web process: the only place that builds pools, hubs, adapters and routes for it.

Order of stopping: the feed tells its clients to come back (to another process, or to this one's
successor), open requests finish, accepted bodies are committed, then the pools close.
"""

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog
import uvicorn
from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.router import Router
from litestar.types import ASGIApp, Receive, Scope, Send

from inbox import __version__, failpoints, telemetry
from inbox.actions.accept import Acceptor
from inbox.actions.connect import Connector
from inbox.api import admin, auth, boot, conversations, files, health, ledger, live, problems, widget
from inbox.api.guards import check_csrf, check_request, current_scope
from inbox.api.headers import SecurityHeaders
from inbox.api.hooks import ChannelCache, Hooks
from inbox.api.pages import Pages, is_api
from inbox.api.services import Demo, Services
from inbox.api.sessions import SessionCache
from inbox.api.throttle import Throttle
from inbox.bell import RedisBell
from inbox.crypto import Passwords, Signer
from inbox.errors import ProblemError
from inbox.gateway import EventLog, FeedSource
from inbox.ground import Ground, stand_on
from inbox.outbox import Store
from inbox.settings import Settings
from realtime.hub import Hub

log = structlog.get_logger()

DRAIN_SECONDS = 2.0

_PUBLIC = (auth.get_setup, auth.set_up, auth.login)
_SIGNED_IN = (
    auth.logout, auth.me, boot.boot,
    conversations.list_conversations, conversations.get_counts, conversations.get_conversation,
    conversations.change_conversation, conversations.list_messages, conversations.write_message,
    conversations.retry_message, conversations.cancel_message, conversations.list_decisions,
    admin.list_agents, admin.add_agent, admin.change_agent, admin.change_me, admin.list_channel_kinds,
    admin.list_channels, admin.connect_channel, admin.change_channel, admin.check_channel,
    admin.list_labels, admin.create_label, admin.get_contact, admin.change_contact,
    admin.list_contact_conversations,
    ledger.list_letters, ledger.replay_letter, ledger.discard_letter, ledger.list_raw_events,
    ledger.get_raw_event, ledger.list_deliveries,
    files.upload_attachment, files.get_attachment,
)  # fmt: skip
_PLAIN = (health.live, health.ready, health.metrics, files.linked_file, live.realtime, *widget.HANDLERS)


def routes() -> list[Any]:
    """Everything that Litestar serves."""
    return [
        Router("/", route_handlers=list(_PUBLIC), guards=[check_request]),
        Router("/", route_handlers=list(_SIGNED_IN), guards=[check_request, check_csrf]),
        *_PLAIN,
    ]


def build_api(services: Services | None, event_log: EventLog | None) -> Litestar:
    """The Litestar application; without services, only its description can be used."""

    def give_services() -> Services:
        assert services is not None
        return services

    def give_event_log() -> EventLog:
        assert event_log is not None
        return event_log

    app = Litestar.from_config(
        AppConfig(
            route_handlers=routes(),
            dependencies={
                "services": Provide(give_services, sync_to_thread=False, use_cache=True),
                "event_log": Provide(give_event_log, sync_to_thread=False, use_cache=True),
                "who": Provide(current_scope),
            },
            exception_handlers={
                ProblemError: problems.on_problem,
                HTTPException: problems.on_http_error,
                Exception: problems.on_failure,
            },
            openapi_config=OpenAPIConfig(
                title="Meridian", version=__version__, path="/",
                render_plugins=[JsonRenderPlugin(path="/openapi.json")],
                description="The API of the inbox. Errors are RFC 9457 problem documents.",
            ),
            request_max_body_size=2 * 1024 * 1024,
            logging_config=None,
        )
    )  # fmt: skip
    app.state.services = services
    return app


@contextlib.asynccontextmanager
async def build(settings: Settings, demo: Demo | None = None) -> AsyncIterator[tuple[ASGIApp, Hub]]:
    """The whole web process without its server: the application and its live hub."""
    async with stand_on(settings) as ground, contextlib.AsyncExitStack() as stack:
        bell = RedisBell(ground.redis, ground.queue, settings.stream_shards)
        store = Store(ground.database, bell)
        acceptor = Acceptor(ground.database.pool, bell.announce)
        event_log = EventLog(ground.database)
        await event_log.refresh_epoch()
        hub = Hub(event_log, FeedSource(ground.redis, settings.stream_shards, event_log), live.Wishes())
        tasks = [asyncio.create_task(acceptor.run()), asyncio.create_task(hub.run())]
        stack.push_async_callback(_end, tasks)
        services = _services(ground, store, acceptor, hub, demo)
        hooks = Hooks(ChannelCache(ground.database, ground.adapters), acceptor.accept, settings.body_limit)
        yield assemble(settings, hooks, services, event_log), hub


def assemble(
    settings: Settings, hooks: Hooks, services: Services | None, event_log: EventLog | None
) -> ASGIApp:
    """Everything between uvicorn and the routes: headers, the choice of hook, API or page."""
    pages = Pages()

    api = build_api(services, event_log)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        # Webhooks are most of the traffic and need nothing of a framework; what is no API is a page.
        path = scope["path"]
        if path.startswith("/hooks/") and scope["type"] == ScopeType.HTTP:
            await hooks(scope, receive, send)
        else:
            await (api if is_api(path) else pages)(scope, receive, send)

    return SecurityHeaders(application, settings, pages.policies)


def _services(ground: Ground, store: Store, acceptor: Acceptor, hub: Hub, demo: Demo | None) -> Services:
    settings = ground.settings
    return Services(
        settings=settings,
        store=store,
        adapters=ground.adapters,
        connector=Connector(
            store, ground.adapters, ground.http, settings.origin,
            {"telegram": {"api_url": settings.telegram_api_url}},
        ),
        http=ground.http,
        blobs=ground.blobs,
        acceptor=acceptor,
        hub=hub,
        passwords=Passwords(),
        sessions=SessionCache(ground.database),
        csrf=Signer(settings, "csrf"),
        links=Signer(settings, "file links"),
        visitors=Signer(settings, "visitors"),
        setup_token=settings.setup_token,
        throttle=Throttle(ground.redis),
        demo=demo,
    )  # fmt: skip


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Server(uvicorn.Server):
    """uvicorn, whose open sockets are told to come back before it waits for its connections."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._hub.drain(spread=DRAIN_SECONDS)
        await super().shutdown(sockets)


async def serve(settings: Settings, demo: Demo | None = None) -> None:
    """Run the web process until SIGTERM or SIGINT."""
    telemetry.configure(settings.log_level, settings.log_format)
    failpoints.arm(settings.failpoints)
    async with build(settings, demo) as (application, hub):
        gc.freeze()  # what was built lives as long as the process (see inbox/cli.py)
        await _Server(server_config(settings, application), hub).serve()


def server_config(settings: Settings, application: ASGIApp) -> uvicorn.Config:
    """uvicorn as this product runs it."""
    return uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        loop="none",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=65536,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        backlog=4096,
    )
