"""Sign in and out."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from inbox import crypto
from inbox.crypto import Passwords
from inbox.errors import Unauthenticated
from inbox.outbox import Store
from inbox.records import sessions, users


async def sign_in(
    store: Store, passwords: Passwords, email: str, password: str, *, days: int, user_agent: str
) -> tuple[str, UUID]:
    """(session token, account). Raises Unauthenticated, in the same time and words whether the address is
    unknown or the password wrong."""
    async with store.database.system() as tx:
        candidates = await users.sign_ins(tx, email)
    found = None
    for candidate in candidates:
        if await passwords.matches(candidate.password_hash, password):
            found = candidate
            break
    if found is None:
        if not candidates:
            await passwords.matches(None, password)
        raise Unauthenticated("This address and password do not belong together.")
    return await open_session(
        store, found.account_id, found.id, days=days, user_agent=user_agent
    ), found.account_id


async def open_session(store: Store, account_id: UUID, user_id: UUID, *, days: int, user_agent: str) -> str:
    """A new session; its token, of which only the hash is kept."""
    token = crypto.new_token()
    async with store.write(account_id) as work:
        expires = datetime.now(UTC) + timedelta(days=days)
        await sessions.create(work, crypto.digest(token), user_id, expires, user_agent)
    return token


async def sign_out(store: Store, account_id: UUID, token: str) -> None:
    async with store.write(account_id) as work:
        await sessions.end(work, crypto.digest(token))
