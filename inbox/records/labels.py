"""Labels."""

from uuid import UUID

import asyncpg

from inbox.db import Tx
from inbox.errors import Conflict
from inbox.views import LabelView


async def create(tx: Tx, label_id: UUID, name: str, color: str) -> LabelView:
    """Raises Conflict when there is a label of that name."""
    try:
        async with tx.savepoint():
            await tx.run(
                "insert into labels (account_id, id, name, color) values ($1, $2, $3, $4)",
                tx.account_id, label_id, name, color,
            )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise Conflict(f"There is already a label named {name}.") from None
    return LabelView(label_id, name, color)


async def every(tx: Tx) -> list[LabelView]:
    rows = await tx.all(
        "select id, name, color from labels where account_id = $1 order by lower(name)", tx.account_id
    )
    return [LabelView(**row) for row in rows]


async def known(tx: Tx, label_ids: list[UUID]) -> set[UUID]:
    """Those of the ids that exist."""
    rows = await tx.all(
        "select id from labels where account_id = $1 and id = any($2::uuid[])", tx.account_id, label_ids
    )
    return {row["id"] for row in rows}
