"""Decisions: why a conversation went where it went."""

from datetime import datetime
from typing import Any
from uuid import UUID

from inbox.access import Scope
from inbox.db import Tx
from inbox.outbox import new_id


async def write(
    tx: Tx,
    conversation_id: UUID,
    *,
    at: datetime,
    outcome: str,
    agent_id: UUID | None,
    applied: bool,
    decision: dict[str, Any],
    facts: dict[str, Any],
) -> None:
    await tx.run(
        """
        insert into decisions (account_id, id, conversation_id, at, outcome, agent_id, applied, decision, facts)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        tx.account_id, new_id(), conversation_id, at, outcome, agent_id, applied, decision, facts,
    )  # fmt: skip


async def of_conversation(
    scope: Scope, tx: Tx, conversation_id: UUID, limit: int = 20
) -> list[dict[str, Any]]:
    """Newest first: the decision as it was made, with whether it took effect."""
    rows = await tx.all(
        """
        select at, outcome, agent_id, applied, decision from decisions
        where account_id = $1 and conversation_id = $2 order by at desc, id desc limit $3
        """,
        scope.account_id, conversation_id, limit,
    )  # fmt: skip
    return [{**row["decision"], "applied": row["applied"]} for row in rows]


async def latest(tx: Tx, conversation_id: UUID) -> dict[str, Any] | None:
    row = await tx.row(
        """
        select outcome, agent_id, decision->>'words' as words from decisions
        where account_id = $1 and conversation_id = $2 order by at desc, id desc limit 1
        """,
        tx.account_id, conversation_id,
    )  # fmt: skip
    return dict(row) if row else None
