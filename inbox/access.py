"""Who is asking, and the few rules of who may see and do what. Pure.

Every read of a conversation takes a Scope, so that there is no "load, then check".
"""

from uuid import UUID

from msgspec import Struct

from inbox.errors import Forbidden
from inbox.views import Role


class Scope(Struct, frozen=True):
    """A signed-in person, acting in one account."""

    account_id: UUID
    user_id: UUID
    name: str
    role: Role

    @property
    def administers(self) -> bool:
        return self.role in ("owner", "admin")

    def require_admin(self) -> None:
        """Raises Forbidden for everybody but owners and admins."""
        if not self.administers:
            raise Forbidden("Only an owner or an admin may do that. Ask one of them.")


def agent_topic(account_id: UUID) -> str:
    """The feed of everybody who works in the account."""
    return f"agents:{account_id}"


def visitor_topic(account_id: UUID, contact_id: UUID) -> str:
    """The feed of one person in the chat widget."""
    return f"visitor:{account_id}:{contact_id}"
