"""Every setting, decoded once from the environment. Nothing else reads `os.environ`.

The table in docs/operations.md is generated from this file (`inbox settings`) and a test
fails when the two differ.
"""

import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from inbox.errors import ConfigurationError


class Settings(Struct, frozen=True, kw_only=True):
    data_dir: Annotated[Path, Meta(description="Folder of the embedded database, files and keys.")] = Path(
        "data"
    )
    host: Annotated[str, Meta(description="Address to listen on. 0.0.0.0 for all.")] = "127.0.0.1"
    port: Annotated[int, Meta(description="Port to listen on.")] = 8000
    public_url: Annotated[
        str,
        Meta(
            description="Address under which people and providers reach this installation, "
            "https in production. Empty: http://localhost:PORT."
        ),
    ] = ""
    secret_key: Annotated[
        str,
        Meta(
            description="At least 32 random characters: seals channel credentials and signs "
            "sessions. Empty: made once and kept in DATA_DIR/secret_key.",
            extra={"secret": True},
        ),
    ] = ""
    database_url: Annotated[
        str, Meta(description="PostgreSQL 16 or newer. Empty: embedded.", extra={"secret": True})
    ] = ""
    database_owner_url: Annotated[
        str,
        Meta(
            description="Role that owns the tables, used only by migrations. Empty: DATABASE_URL.",
            extra={"secret": True},
        ),
    ] = ""
    redis_url: Annotated[
        str, Meta(description="Redis 6.2 or newer, noeviction. Empty: embedded.", extra={"secret": True})
    ] = ""
    meilisearch_url: Annotated[str, Meta(description="Search engine. Empty: PostgreSQL's own search.")] = ""
    meilisearch_key: Annotated[str, Meta(description="Key for MEILISEARCH_URL.", extra={"secret": True})] = ""
    blob_url: Annotated[
        str, Meta(description="Where files go: file:///path, s3://bucket/prefix … Empty: DATA_DIR/files.")
    ] = ""
    log_level: Annotated[str, Meta(description="debug, info, warning or error.")] = "info"
    log_format: Annotated[str, Meta(description="text or json.")] = "text"
    database_pool: Annotated[int, Meta(description="Database connections of one process.")] = 10
    database_statement_cache: Annotated[
        int,
        Meta(description="Prepared statements kept per connection; 0 behind PgBouncer in transaction mode."),
    ] = 1024
    stream_shards: Annotated[
        int, Meta(description="Work and feed streams to spread accounts over. Fixed at installation.")
    ] = 1
    body_limit: Annotated[int, Meta(description="Largest webhook body in bytes.")] = 3145728
    upload_limit: Annotated[int, Meta(description="Largest uploaded or fetched file in bytes.")] = 26214400
    raw_retention_days: Annotated[
        int, Meta(description="How long raw events and delivery attempts are kept.")
    ] = 30
    event_retention_days: Annotated[
        int, Meta(description="How long the event log serves returning clients.")
    ] = 30
    session_days: Annotated[int, Meta(description="How long a sign-in lasts.")] = 30
    login_attempts: Annotated[
        int, Meta(description="Failed sign-ins per address and account within 15 minutes.")
    ] = 10
    trusted_proxies: Annotated[
        str, Meta(description="Comma-separated addresses whose X-Forwarded-For counts.")
    ] = "127.0.0.1"
    allow_private_addresses: Annotated[
        str,
        Meta(description="Comma-separated networks that user-supplied URLs may reach though private."),
    ] = ""
    http_timeout: Annotated[
        float, Meta(description="Seconds that one call to a provider may take in all.")
    ] = 20.0
    send_deadline: Annotated[
        int, Meta(description="Seconds after which a reply that could not be sent is shown as failed.")
    ] = 3600
    send_lease: Annotated[
        int,
        Meta(
            description="Seconds after which a worker that stopped while sending is given up; above HTTP_TIMEOUT."
        ),
    ] = 45
    telegram_api_url: Annotated[str, Meta(description="Telegram Bot API, or your own server of it.")] = (
        "https://api.telegram.org"
    )
    sandbox_url: Annotated[
        str, Meta(description="Provider sandbox to link to from the inbox (set by `inbox demo`).")
    ] = ""
    worker_metrics_port: Annotated[
        int, Meta(description="Port on loopback where a worker serves its /metrics. 0: none.")
    ] = 0
    failpoints: Annotated[
        str, Meta(description="Fault injection for tests only, e.g. in.after_commit=kill@3.")
    ] = ""

    @property
    def origin(self) -> str:
        return self.public_url.rstrip("/") or f"http://localhost:{self.port}"

    @property
    def secure(self) -> bool:
        return self.origin.startswith("https://")

    @property
    def embedded_postgres(self) -> bool:
        return not self.database_url

    @property
    def embedded_redis(self) -> bool:
        return not self.redis_url

    @property
    def setup_token(self) -> str:
        """What the first run's address carries, so that whoever set the server up founds the workspace."""
        return self.key("first run").hex()[:24]

    def key(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, derived from the secret key."""
        return hashlib.blake2b(
            purpose.encode(), key=hashlib.sha256(self.secret_key.encode()).digest(), digest_size=32
        ).digest()


def _decode(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from environment variables named like the fields in capitals.

    Raises ConfigurationError, naming the variable, for a value of the wrong kind.
    """
    source = os.environ if environ is None else environ
    values = {name: source[name.upper()] for name in Settings.__struct_fields__ if source.get(name.upper())}
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        words, _, path = str(error).partition(" - at `$.")
        raise ConfigurationError(f"{path.rstrip('`').upper()}: {words}.") from None


def with_secret_key(settings: Settings) -> Settings:
    """The same settings with a secret key: the given one, or the one kept in the data folder.

    Raises ConfigurationError for a key that is too short to be a secret.
    """
    if settings.secret_key:
        if len(settings.secret_key) < 32:
            raise ConfigurationError("SECRET_KEY is too short: give at least 32 random characters.")
        return settings
    path = settings.data_dir / "secret_key"
    try:
        key = path.read_text().strip()
    except FileNotFoundError:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        key = secrets.token_urlsafe(48)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(key + "\n")
    return msgspec.structs.replace(settings, secret_key=key)


def as_environment(settings: Settings) -> dict[str, str]:
    """The environment that gives a child process the same settings."""
    return {name.upper(): str(getattr(settings, name)) for name in Settings.__struct_fields__}


def markdown_table() -> str:
    """The documented table of settings."""
    rows = ["| variable | default | what it does |", "|--|--|--|"]
    for item in msgspec.structs.fields(Settings):
        assert isinstance(item.default, str | int | float | Path)
        default = str(item.default) or "(empty)"
        info = msgspec.inspect.type_info(item.type)
        schema = info.extra_json_schema if isinstance(info, msgspec.inspect.Metadata) else None
        description = (schema or {}).get("description", "")
        rows.append(f"| `{item.name.upper()}` | `{default}` | {description} |")
    return "\n".join(rows) + "\n"
