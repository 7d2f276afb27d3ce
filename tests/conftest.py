"""What every test gets: no way out of this machine, and for the stories one installation and a fresh account."""

import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_socket
import structlog
import world as cast
from installation import Installation, installed

from inbox.crypto import Passwords

_LOUD = {"error", "critical", "exception"}
_resolve = socket.getaddrinfo


class LeavesTheMachine(AssertionError):
    """A test wanted to speak to something that is not on this machine."""


def pytest_configure(config: pytest.Config) -> None:
    # Litestar is held below 3 by pyproject; what 3 will drop fills pages at every build of the application.
    config.addinivalue_line("filterwarnings", "ignore::litestar.exceptions.LitestarDeprecationWarning")
    config.addinivalue_line("filterwarnings", "ignore:.*will stop working in Litestar:DeprecationWarning")


def _stub_resolver(host: Any, *rest: Any, **options: Any) -> Any:
    """Names do not exist here; only loopback does."""
    name = host.decode() if isinstance(host, bytes) else host
    try:
        known = (
            name in (None, "", "localhost")
            or ipaddress.ip_address(name).is_loopback
            or name in ("0.0.0.0", "::")
        )
    except ValueError:
        known = False
    if not known:
        raise socket.gaierror(socket.EAI_NONAME, f"{name}: names are not resolved in tests")
    return _resolve(host, *rest, **options)


def pytest_runtest_setup() -> None:
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)
    socket.getaddrinfo = _stub_resolver


class Alarms(list[str]):
    """Errors that the product logged. A story that provokes one says so with `expect`."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: set[str] = set()

    def expect(self, *events: str) -> None:
        self.expected |= set(events)

    def __call__(self, _: Any, method: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if method in _LOUD and entry.get("event") not in self.expected:
            self.append(f"{entry.get('event')}: { {k: v for k, v in entry.items() if k != 'event'} }")
        raise structlog.DropEvent


@pytest.fixture(scope="session")
def _alarms() -> Iterator[Alarms]:
    alarms = Alarms()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, alarms], cache_logger_on_first_use=False
    )
    yield alarms
    structlog.reset_defaults()


@pytest.fixture
def alarms(_alarms: Alarms) -> Iterator[Alarms]:
    """What the product calls an error; it must not log one unless the story says so."""
    _alarms.clear()
    _alarms.expected.clear()
    yield _alarms
    assert not _alarms, "the product logged errors:\n" + "\n".join(_alarms)


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    return Passwords()


@pytest.fixture(scope="session")
async def installation(_alarms: Alarms) -> AsyncIterator[Installation]:
    pytest_runtest_setup()
    async with installed() as running:
        yield running


@pytest.fixture
async def world(
    installation: Installation, passwords: Passwords, alarms: Alarms
) -> AsyncIterator[cast.World]:
    """A fresh account with its cast. What must always hold is checked when the test is over."""
    async with cast.account(installation, passwords) as found:
        yield found


@pytest.fixture
async def neighbours(
    installation: Installation, passwords: Passwords, world: cast.World
) -> AsyncIterator[cast.World]:
    """A second account, whose existence the first must never notice."""
    async with cast.account(installation, passwords, "Quiet Neighbours") as found:
        yield found
