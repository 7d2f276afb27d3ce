"""Sign in, sign out, first run."""

import hmac
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from msgspec import Meta, Struct

from inbox import shifts
from inbox.access import Scope
from inbox.actions import accounts, people, sessions
from inbox.api.guards import client_address, cookie_name, session_token
from inbox.api.services import Services
from inbox.api.times import now
from inbox.errors import Forbidden, Unauthenticated
from inbox.records import accounts as account_records
from inbox.records import users
from inbox.views import AgentView


class Login(Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=254)]
    password: str


class Workspace(Struct, frozen=True):
    id: str
    name: str


class SessionView(Struct, frozen=True):
    """Who is signed in; `csrf_token` goes into X-CSRF-Token of every request that changes something."""

    user: AgentView
    csrf_token: str
    workspace: Workspace


class DemoPerson(Struct, frozen=True):
    name: str
    email: str


class DemoView(Struct, frozen=True):
    password: str
    people: tuple[DemoPerson, ...]


class SetupState(Struct, frozen=True, omit_defaults=True):
    needed: bool
    demo: DemoView | None = None


class Setup(Struct, frozen=True, forbid_unknown_fields=True):
    """The first run. `token` stands in the address that the terminal printed."""

    token: str
    workspace: people.Name
    name: people.Name
    email: people.Email
    password: str
    time_zone: str = "UTC"


async def session_view(services: Services, who: Scope, token: str) -> SessionView:
    async with services.store.read(who.account_id) as tx:
        account = await account_records.get(tx)
        user = await users.get(tx, who.user_id)
    if user is None:
        raise Unauthenticated
    view = users.view(user, on_shift=shifts.on_shift(user, now()))
    return SessionView(view, services.csrf.fixed(token), Workspace(str(account.id), account.name))


def _cookie(services: Services, token: str, *, days: int) -> Cookie:
    return Cookie(
        key=cookie_name(services.settings.secure),
        value=token,
        max_age=days * 24 * 3600,
        httponly=True,
        secure=services.settings.secure,
        samesite="lax",
        path="/",
    )


@get("/api/v1/setup", operation_id="GetSetup")
async def get_setup(services: Services) -> SetupState:
    """Whether this installation still needs its first workspace."""
    needed = not await accounts.any_exists(services.store.database)
    demo = None
    if services.demo is not None and not needed:
        who = tuple(DemoPerson(name, email) for name, email in services.demo.people)
        demo = DemoView(services.demo.password, who)
    return SetupState(needed, demo)


@post("/api/v1/setup", operation_id="SetUp", status_code=201)
async def set_up(data: Setup, request: Request[Any, Any, Any], services: Services) -> Response[SessionView]:
    """Create the first workspace and its owner, who is then signed in."""
    await services.throttle.spend(f"setup:{client_address(request.scope)}", 10, 900, fail_closed=True)
    if not hmac.compare_digest(data.token.encode(), services.setup_token.encode()):
        raise Forbidden("Open the address that the terminal printed: it carries the token.", field="token")
    people.check_password(data.password, data.name, data.email, data.workspace)
    people.check_zone(data.time_zone)
    account_id, user_id = await accounts.found(
        services.store, services.passwords, workspace=data.workspace, name=data.name, email=data.email,
        password=data.password, time_zone=data.time_zone, shards=services.settings.stream_shards,
        only_first=True,
    )  # fmt: skip
    days = services.settings.session_days
    token = await sessions.open_session(
        services.store, account_id, user_id, days=days, user_agent=request.headers.get("user-agent", "")
    )
    who = Scope(account_id, user_id, data.name, "owner")
    view = await session_view(services, who, token)
    return Response(view, status_code=201, cookies=[_cookie(services, token, days=days)])


@post("/api/v1/auth/login", operation_id="SignIn", status_code=200)
async def login(data: Login, request: Request[Any, Any, Any], services: Services) -> Response[SessionView]:
    """Sign in with address and password."""
    limit, window = services.settings.login_attempts, 900
    by_person, by_place = f"login:{data.email.lower()}", f"login:{client_address(request.scope)}"
    await services.throttle.spend(by_person, limit, window, fail_closed=True)
    await services.throttle.spend(by_place, limit * 5, window, fail_closed=True)
    days = services.settings.session_days
    token, _ = await sessions.sign_in(
        services.store, services.passwords, data.email, data.password, days=days,
        user_agent=request.headers.get("user-agent", ""),
    )  # fmt: skip
    await services.throttle.forgive(by_person)
    who = await services.sessions.scope_of(token)
    if who is None:
        raise Unauthenticated
    return Response(
        await session_view(services, who, token),
        status_code=200,
        cookies=[_cookie(services, token, days=days)],
    )


@post("/api/v1/auth/logout", operation_id="SignOut", status_code=204)
async def logout(request: Request[Any, Any, Any], services: Services, who: Scope) -> Response[None]:
    """End this session; its live feed is closed."""
    token = session_token(request, services)
    assert token is not None
    await sessions.sign_out(services.store, who.account_id, token)
    services.sessions.forget(token)
    session = services.csrf.fixed(token)
    services.hub.revoke(lambda c: c.tags.get("session") == session, code=4401, reason="signed out")
    answer: Response[None] = Response(None, status_code=204)
    answer.set_cookie(_cookie(services, "", days=0))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@get("/api/v1/me", operation_id="GetMe")
async def me(request: Request[Any, Any, Any], services: Services, who: Scope) -> SessionView:
    """Who is signed in."""
    token = session_token(request, services)
    assert token is not None
    return await session_view(services, who, token)
