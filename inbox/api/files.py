"""Files: upload, and hand out without ever letting one act as a page of ours."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Stream

from inbox.access import Scope
from inbox.actions import media
from inbox.api.services import Services
from inbox.errors import NotFound
from inbox.records import attachments
from inbox.records.attachments import Attachment
from inbox.views import AttachmentView

_CHUNK = 64 * 1024


@dataclass
class FileForm:
    """A form with one file in the field `file`."""

    file: UploadFile


FileUpload = Annotated[FileForm, Body(media_type=RequestEncodingType.MULTI_PART)]


async def chunks_of(upload: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await upload.read(_CHUNK):
        yield chunk


def as_response(services: Services, attachment: Attachment, *, download: bool) -> Stream:
    """The file's bytes. What a browser may show in place is shown in a sandbox; the rest is a download."""
    assert attachment.blob_key is not None
    shown = media.shown_in_place(attachment.content_type) and not download
    disposition = "inline" if shown else "attachment"
    headers = {
        "content-disposition": f"{disposition}; filename*=UTF-8''{quote(attachment.name, safe='')}",
        "content-length": str(attachment.size or 0),
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "private, max-age=31536000, immutable",
    }
    kind = attachment.content_type if shown else "application/octet-stream"
    return Stream(services.blobs.read(attachment.blob_key), media_type=kind, headers=headers)


@post("/api/v1/attachments", operation_id="UploadAttachment", status_code=201, request_max_body_size=None)
async def upload_attachment(data: FileUpload, services: Services, who: Scope) -> AttachmentView:
    """Upload a file, to be named in a message's attachment_ids within a day."""
    return await media.upload(
        services.store, services.blobs, who.account_id, f"user:{who.user_id}", data.file.filename or "file",
        data.file.content_type, chunks_of(data.file), services.settings.upload_limit,
    )  # fmt: skip


@get("/api/v1/attachments/{attachment_id:uuid}", operation_id="GetAttachment")
async def get_attachment(
    services: Services, who: Scope, attachment_id: UUID, download: bool = False
) -> Stream:
    """A file of a message."""
    async with services.store.read(who.account_id) as tx:
        found = await attachments.get(who, tx, attachment_id)
    if found is None or found.state != "ready":
        raise NotFound("This file does not exist, or is not here yet.")
    return as_response(services, found, download=download)


@get("/files/{token:str}", operation_id="GetLinkedFile", include_in_schema=False)
async def linked_file(services: Services, token: str) -> Stream:
    """A file by a signed link that expires, for channels that take links instead of bytes."""
    value = services.links.verify(token)
    if value is None:
        raise NotFound("This link has expired.")
    account, _, attachment_id = value.partition("/")
    async with services.store.read(UUID(account)) as tx:
        found = await attachments.get_unscoped(tx, UUID(attachment_id))
    if found is None or found.state != "ready":
        raise NotFound("This file was deleted.")
    return as_response(services, found, download=True)
