"""Sessions: who is signed in where. Only the hash of a session's token is kept."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from inbox.db import Tx
from inbox.views import Role


class Session(Struct, frozen=True):
    account_id: UUID
    user_id: UUID
    name: str
    role: Role
    expires_at: datetime


async def create(tx: Tx, token_hash: bytes, user_id: UUID, expires_at: datetime, user_agent: str) -> None:
    await tx.run(
        """
        insert into sessions (account_id, token_hash, user_id, expires_at, user_agent)
        values ($1, $2, $3, $4, left($5, 300))
        """,
        tx.account_id, token_hash, user_id, expires_at, user_agent,
    )  # fmt: skip


async def find(tx: Tx, token_hash: bytes) -> Session | None:
    """The live session of an active person. In a system transaction: the account is not known yet."""
    row = await tx.row(
        """
        select s.account_id, s.user_id, u.name, u.role, s.expires_at
        from sessions s join users u on u.account_id = s.account_id and u.id = s.user_id
        where s.token_hash = $1 and s.expires_at > now() and u.active
        """,
        token_hash,
    )
    return Session(**row) if row else None


async def end(tx: Tx, token_hash: bytes) -> None:
    await tx.run("delete from sessions where account_id = $1 and token_hash = $2", tx.account_id, token_hash)


async def end_all(tx: Tx, user_id: UUID, *, but: bytes | None = None) -> None:
    """Sign a person out everywhere, except in the session `but`."""
    await tx.run(
        "delete from sessions where account_id = $1 and user_id = $2 and token_hash is distinct from $3",
        tx.account_id, user_id, but,
    )  # fmt: skip


async def prune(tx: Tx) -> int:
    return await tx.run("delete from sessions where account_id = $1 and expires_at < now()", tx.account_id)
