"""What the imitated providers remember: one SQLite file, and the bytes of files beside it.

Everything is committed before it is answered, so a killed sandbox comes back with all that it took.
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCHEMA = """
create table if not exists channels (
    id integer primary key, kind text not null, name text not null, token text unique,
    hook_url text not null default '', hook_secret text not null default '', allowed text not null default '[]',
    inbound_secret text not null default '', outbound_secret text not null default '',
    auto_read integer not null default 1, last_error text, last_error_at integer,
    next_update integer not null default 900000001);
create table if not exists people (
    id integer primary key, first_name text not null, last_name text not null, username text not null unique,
    language text not null, time_zone text not null, place text not null, hue integer not null);
create table if not exists chats (
    id integer primary key, channel_id integer not null references channels,
    person_id integer not null references people, next_message integer not null default 1,
    blocked integer not null default 0, unique (channel_id, person_id));
create table if not exists messages (
    chat_id integer not null references chats, message_id integer not null, author text not null,
    content text not null, at real not null, edited_at real, reaction text, state text not null,
    note text, external_id text, primary key (chat_id, message_id));
create unique index if not exists messages_external on messages (chat_id, external_id);
create table if not exists files (
    id text primary key, name text not null, content_type text not null, size integer not null);
create table if not exists ledger (
    id integer primary key, channel_id integer not null, chat_id integer not null, method text not null,
    message_id integer not null, key text, content text not null, at real not null);
create unique index if not exists ledger_key on ledger (channel_id, key) where key is not null;
create table if not exists outbox (
    id integer primary key, channel_id integer not null, queue text not null, webhook_id text not null,
    body blob not null, due real not null, attempt integer not null default 0, created real not null,
    chat_id integer, message_id integer);
create table if not exists weather (
    id integer primary key, side text not null, mode text not null, remaining integer not null,
    seconds real not null, copies integer not null);
"""

Row = dict[str, Any]


class Store:
    """Every statement runs at once and is committed, unless `with store:` makes several into one."""

    def __init__(self, directory: Path) -> None:
        self.files = directory / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(directory / "sandbox.sqlite", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("pragma journal_mode = wal; pragma synchronous = normal; " + SCHEMA)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> "Store":
        self._db.execute("begin immediate")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("commit" if kind is None else "rollback")

    def rows(self, sql: str, *values: Any) -> list[Row]:
        return [dict(row) for row in self._db.execute(sql, values)]

    def row(self, sql: str, *values: Any) -> Row | None:
        found = self._db.execute(sql, values).fetchone()
        return dict(found) if found else None

    def insert(self, table: str, values: Mapping[str, Any]) -> int:
        """The number of the new row. Raises sqlite3.IntegrityError for a duplicate."""
        names, places = ", ".join(values), ", ".join("?" * len(values))
        cursor = self._db.execute(f"insert into {table} ({names}) values ({places})", tuple(values.values()))
        return cursor.lastrowid or 0

    def run(self, sql: str, *values: Any) -> int:
        """How many rows it changed."""
        return self._db.execute(sql, values).rowcount

    def channel(self, channel_id: int) -> Row | None:
        return self.row("select * from channels where id = ?", channel_id)

    def chat(self, chat_id: int) -> Row | None:
        return self.row("select * from chats where id = ?", chat_id)

    def person(self, person_id: int) -> Row:
        found = self.row("select * from people where id = ?", person_id)
        assert found is not None, "a chat refers to its person"
        return found

    def message(self, chat_id: int, message_id: int) -> Row | None:
        return self.row("select * from messages where chat_id = ? and message_id = ?", chat_id, message_id)

    def next_update(self, channel_id: int) -> int:
        found = self.row(
            "update channels set next_update = next_update + 1 where id = ? returning next_update - 1 as number",
            channel_id,
        )
        assert found is not None, "the caller has just read the channel"
        return int(found["number"])

    def add_message(
        self, chat_id: int, author: str, content: Row, state: str, external_id: str | None = None
    ) -> Row:
        """A message of "customer" or "business" with the next number of its chat."""
        with self:
            numbered = self.row(
                "update chats set next_message = next_message + 1 where id = ? returning next_message - 1 as number",
                chat_id,
            )
            assert numbered is not None, "the caller has just read the chat"
            message = {
                "chat_id": chat_id,
                "message_id": numbered["number"],
                "author": author,
                "content": json.dumps(content),
                "at": time.time(),
                "state": state,
                "external_id": external_id,
            }
            self.insert("messages", message)
        return message

    def record(
        self, channel_id: int, chat_id: int, method: str, message: Row, key: str | None = None
    ) -> None:
        """Write an accepted send into the ledger, which tests hold against what they asked for."""
        self.insert(
            "ledger",
            {
                "channel_id": channel_id,
                "chat_id": chat_id,
                "method": method,
                "message_id": message["message_id"],
                "key": key,
                "content": message["content"],
                "at": time.time(),
            },
        )

    def add_file(self, data: bytes, name: str, content_type: str) -> Row:
        file_id = "sbx" + secrets.token_hex(12)
        (self.files / file_id).write_bytes(data)
        file = {"id": file_id, "name": name, "content_type": content_type, "size": len(data)}
        self.insert("files", file)
        return file

    def file(self, file_id: str) -> Row | None:
        return self.row("select * from files where id = ?", file_id)

    def file_bytes(self, file_id: str) -> bytes:
        return (self.files / file_id).read_bytes()
