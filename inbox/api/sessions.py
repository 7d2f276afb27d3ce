"""Who a request comes from."""

import time
from uuid import UUID

from inbox import crypto
from inbox.access import Scope
from inbox.db import Database
from inbox.records import sessions

_TRUST = 2.0  # seconds that a session is believed without asking again; revocation takes that long
_MAX_KNOWN = 10_000


class SessionCache:
    """Sessions by the hash of their token, for a moment each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[bytes, tuple[float, Scope | None]] = {}

    async def scope_of(self, token: str) -> Scope | None:
        """The person behind a session token, or None."""
        digest, now = crypto.digest(token), time.monotonic()
        known = self._known.get(digest)
        if known is not None and now - known[0] < _TRUST:
            return known[1]
        async with self._database.system() as tx:
            session = await sessions.find(tx, digest)
        scope = Scope(session.account_id, session.user_id, session.name, session.role) if session else None
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._known[digest] = (now, scope)
        return scope

    def forget(self, token: str) -> None:
        self._known.pop(crypto.digest(token), None)

    def forget_user(self, user_id: UUID) -> None:
        self._known = {k: v for k, v in self._known.items() if v[1] is None or v[1].user_id != user_id}
