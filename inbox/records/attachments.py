"""Attachments: files of messages. The bytes live in the blob store, never here."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from inbox.access import Scope
from inbox.db import Tx
from inbox.views import AttachmentKind, AttachmentView


class Attachment(Struct, frozen=True):
    id: UUID
    message_id: UUID | None
    kind: AttachmentKind
    state: str
    name: str
    content_type: str
    size: int | None
    blob_key: str | None
    ref: dict[str, str] | None
    duration: int | None


_COLUMNS = "id, message_id, kind, state, name, content_type, size, blob_key, ref, duration"


async def expect(
    tx: Tx,
    attachment_id: UUID,
    message_id: UUID,
    position: int,
    *,
    kind: str,
    name: str,
    content_type: str,
    size: int | None,
    ref: dict[str, str],
    width: int | None,
    height: int | None,
    duration: int | None,
) -> None:
    """A file that the provider keeps for us and that is still to be fetched."""
    await tx.run(
        """
        insert into attachments (account_id, id, message_id, position, kind, state, name, content_type, size, ref,
                                 width, height, duration)
        values ($1, $2, $3, $4, $5, 'pending', $6, $7, $8, $9, $10, $11, $12)
        """,
        tx.account_id, attachment_id, message_id, position, kind, name, content_type, size, ref, width, height,
        duration,
    )  # fmt: skip


async def add_upload(
    tx: Tx,
    attachment_id: UUID,
    owner: str,
    *,
    kind: str,
    name: str,
    content_type: str,
    size: int,
    sha256: bytes,
    blob_key: str,
) -> AttachmentView:
    """A file that somebody here uploaded; it belongs to no message yet."""
    await tx.run(
        """
        insert into attachments (account_id, id, uploaded_by, kind, state, name, content_type, size, sha256, blob_key)
        values ($1, $2, $3, $4, 'ready', $5, $6, $7, $8, $9)
        """,
        tx.account_id, attachment_id, owner, kind, name, content_type, size, sha256, blob_key,
    )  # fmt: skip
    return AttachmentView(attachment_id, kind, "ready", name, content_type, size)  # type: ignore[arg-type]


async def adopt(tx: Tx, message_id: UUID, attachment_ids: list[UUID], owner: str) -> int:
    """Give uploads to a message; how many were there, unused, and this owner's."""
    return await tx.run(
        """
        update attachments a set message_id = $2, position = n.position
        from unnest($3::uuid[]) with ordinality as n(id, position)
        where a.account_id = $1 and a.id = n.id and a.message_id is null and a.uploaded_by = $4
        """,
        tx.account_id, message_id, attachment_ids, owner,
    )  # fmt: skip


async def of_message(tx: Tx, message_id: UUID) -> list[Attachment]:
    rows = await tx.all(
        f"select {_COLUMNS} from attachments where account_id = $1 and message_id = $2 order by position",
        tx.account_id, message_id,
    )  # fmt: skip
    return [Attachment(**row) for row in rows]


async def get_unscoped(tx: Tx, attachment_id: UUID) -> Attachment | None:
    row = await tx.row(
        f"select {_COLUMNS} from attachments where account_id = $1 and id = $2", tx.account_id, attachment_id
    )
    return Attachment(**row) if row else None


async def get(scope: Scope, tx: Tx, attachment_id: UUID) -> Attachment | None:
    """A file that this person may see: of any conversation of the account, or an upload of their own."""
    row = await tx.row(
        f"""
        select {_COLUMNS} from attachments
        where account_id = $1 and id = $2 and (message_id is not null or uploaded_by = $3)
        """,
        scope.account_id, attachment_id, f"user:{scope.user_id}",
    )  # fmt: skip
    return Attachment(**row) if row else None


async def of_contact(tx: Tx, contact_id: UUID, attachment_id: UUID) -> Attachment | None:
    """A file in a customer's own thread, seen from the chat widget: no notes."""
    row = await tx.row(
        """
        select a.id, a.message_id, a.kind, a.state, a.name, a.content_type, a.size, a.blob_key, a.ref, a.duration
        from attachments a
        join messages m on m.account_id = a.account_id and m.id = a.message_id
        join conversations c on c.account_id = m.account_id and c.id = m.conversation_id
        where a.account_id = $1 and a.id = $2 and c.contact_id = $3 and m.kind in ('inbound', 'outbound')
        """,
        tx.account_id, attachment_id, contact_id,
    )  # fmt: skip
    return Attachment(**row) if row else None


async def store(
    tx: Tx, attachment_id: UUID, *, blob_key: str, size: int, sha256: bytes, content_type: str, kind: str
) -> bool:
    """The file is in the blob store; False when it was settled before."""
    return bool(
        await tx.run(
            """
            update attachments set state = 'ready', blob_key = $3, size = $4, sha256 = $5, content_type = $6,
                   kind = $7, ref = null, error = null
            where account_id = $1 and id = $2 and state <> 'ready'
            """,
            tx.account_id, attachment_id, blob_key, size, sha256, content_type, kind,
        )
    )  # fmt: skip


async def fail(tx: Tx, attachment_id: UUID, words: str) -> bool:
    return bool(
        await tx.run(
            """
            update attachments set state = 'failed', error = $3
            where account_id = $1 and id = $2 and state = 'pending'
            """,
            tx.account_id, attachment_id, words,
        )
    )  # fmt: skip


async def forget_unused(tx: Tx, hours: int) -> list[str]:
    """Drop uploads that no message took; their blob keys, to be deleted."""
    rows: list[Any] = await tx.all(
        """
        delete from attachments
        where account_id = $1 and message_id is null and created_at < now() - make_interval(hours => $2)
        returning blob_key
        """,
        tx.account_id, hours,
    )  # fmt: skip
    return [row["blob_key"] for row in rows if row["blob_key"]]
