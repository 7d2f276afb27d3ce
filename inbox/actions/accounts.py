"""Accounts: found a workspace with its owner."""

from uuid import UUID

from inbox.crypto import Passwords
from inbox.db import Database
from inbox.errors import Conflict
from inbox.outbox import Store, new_id
from inbox.records import accounts, users
from inbox.streams import shard_of


async def any_exists(database: Database) -> bool:
    async with database.system() as tx:
        return await accounts.exists(tx)


async def found(
    store: Store, passwords: Passwords, *, workspace: str, name: str, email: str, password: str, time_zone: str,
    shards: int, only_first: bool,
) -> tuple[UUID, UUID]:  # fmt: skip
    """Create a workspace and its owner; (account, user). With `only_first`, raises Conflict when the
    installation has a workspace already, also when two people press the button at once."""
    account_id, user_id = new_id(), new_id()
    hashed = await passwords.hash(password)
    async with store.database.system() as tx:
        if only_first:
            await accounts.hold_founding(tx)
            if await accounts.exists(tx):
                raise Conflict("This installation has been set up already. Sign in instead.")
        await accounts.create(tx, account_id, workspace, shard_of(account_id, shards))
        await accounts.enter(tx, account_id)
        await users.create(
            tx, user_id, email=email, name=name, password_hash=hashed, role="owner", time_zone=time_zone,
            schedule=None,
        )  # fmt: skip
    return account_id, user_id
