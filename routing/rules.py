"""The rules an account can set. A changed rule set takes a new version."""

from typing import Annotated

from msgspec import Meta, Struct


class RuleSet(Struct, frozen=True):
    """What the account wants of routing.

    `require_connected` passes over people known to have no open connection; while presence does not know,
    nobody is passed over for it. `sticky_owner` prefers the earlier owner, when that person can take the
    conversation at all. `require_language` passes over people who do not speak the contact's language,
    when it is known. `max_load` limits everybody's open conversations below their own capacity.
    """

    version: int
    require_connected: bool = False
    sticky_owner: bool = True
    require_language: bool = False
    max_load: Annotated[int, Meta(ge=0)] | None = None

    def limit(self, capacity: int) -> int:
        """How many open conversations a person of that capacity may own."""
        return capacity if self.max_load is None else min(capacity, self.max_load)
