"""Files: on the disk by default, or in any object store, behind obstore.

A file gets its name in the database only after the whole of it is stored; what was stored halfway is
deleted, or, after a crash, never referred to.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from uuid import UUID

import obstore
from msgspec import Struct
from obstore.store import LocalStore, from_url

from inbox.errors import TooLarge
from inbox.settings import Settings


class Stored(Struct, frozen=True):
    key: str
    size: int
    sha256: bytes
    head: bytes  # the first bytes, to tell what it is


class Blobs:
    def __init__(self, settings: Settings) -> None:
        if settings.blob_url:
            self._store = from_url(settings.blob_url)
        else:
            folder = settings.data_dir.absolute() / "files"
            folder.mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(folder)

    async def put(self, account_id: UUID, name: UUID, chunks: AsyncIterator[bytes], limit: int) -> Stored:
        """Store a stream of at most `limit` bytes. Raises TooLarge, and then nothing is kept."""
        key = f"{account_id}/{name.hex[-2:]}/{name}"
        try:
            return await self._write(key, chunks, limit)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):  # it may not have come to a first byte
                await obstore.delete_async(self._store, [key])
            raise

    async def _write(self, key: str, chunks: AsyncIterator[bytes], limit: int) -> Stored:
        checksum, size, head = hashlib.sha256(), 0, b""
        writer = obstore.open_writer_async(self._store, key, buffer_size=5 * 1024 * 1024)
        async with writer as target:
            async for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise TooLarge(f"Files may have at most {limit // (1024 * 1024)} MB.")
                if len(head) < 8192:
                    head += chunk[: 8192 - len(head)]
                checksum.update(chunk)
                await target.write(chunk)
        return Stored(key, size, checksum.digest(), head)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """The file in chunks. Raises FileNotFoundError."""
        result = await obstore.get_async(self._store, key)
        async for chunk in result.stream(min_chunk_size=64 * 1024):
            yield bytes(chunk)

    async def delete(self, keys: list[str]) -> None:
        if keys:
            await obstore.delete_async(self._store, keys)

    async def check(self) -> None:
        """Write, read and delete a small file. Raises what the store raises."""
        await obstore.put_async(self._store, "check/doctor", b"ok")
        await obstore.get_async(self._store, "check/doctor")
        await obstore.delete_async(self._store, ["check/doctor"])
