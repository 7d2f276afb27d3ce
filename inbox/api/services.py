"""What the edges are given by the roof."""

from msgspec import Struct

from channels.base import Http
from inbox.actions.accept import Acceptor
from inbox.actions.connect import Connector
from inbox.adapters import Adapters
from inbox.api.sessions import SessionCache
from inbox.api.throttle import Throttle
from inbox.blobs import Blobs
from inbox.crypto import Passwords, Signer
from inbox.outbox import Store
from inbox.settings import Settings
from realtime.hub import Hub


class Demo(Struct, frozen=True):
    """Where the demo workspace's other pages are, and who may sign in with one click."""

    phone_url: str
    shop_url: str
    people: tuple[tuple[str, str], ...]  # (name, address)
    password: str


class Services(Struct, frozen=True, kw_only=True):
    settings: Settings
    store: Store
    adapters: Adapters
    connector: Connector
    http: Http
    blobs: Blobs
    acceptor: Acceptor
    hub: Hub
    passwords: Passwords
    sessions: SessionCache
    csrf: Signer
    links: Signer
    visitors: Signer
    setup_token: str
    throttle: Throttle
    demo: Demo | None = None
