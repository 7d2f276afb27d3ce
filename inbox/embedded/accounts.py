"""As whom the embedded servers run when we are root: PostgreSQL refuses to be root."""

import os
import pwd
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from inbox.embedded.servers import ENVIRONMENT
from inbox.errors import ConfigurationError
from inbox.processes import Account, entrance

_SERVICE_NAMES = ("postgres", "nobody")  # PostgreSQL's initdb needs a user that has a name
_TRIAL_SECONDS = 10.0


def choose_account(program: Path, data: Path, folder: Path) -> Account | None:
    """None unless we are root; else the first account that can enter `data` and run `program`, by trying.

    The owner of an existing `folder` comes first, then a service account, then root's own files seen through
    a user namespace, which works where parents of the folder or of the program admit only root.
    Raises ConfigurationError when none works.
    """
    if os.geteuid() != 0:
        return None
    for account in _candidates(folder):
        if _works(account, program, data):
            return account
    raise ConfigurationError(
        f"PostgreSQL does not run as root, no other user can reach {data} and {program}, and user namespaces "
        "are forbidden here; start Meridian as another user, or move both out of folders of root."
    )


def give_to(account: Account | None, path: Path) -> None:
    """Make `path` and all below it the account's; a missing path becomes a folder that only it can enter."""
    if not path.exists():
        path.mkdir(mode=0o700)
    if account is None or _owner(path) == account.owner:
        return
    for folder, _, files in os.walk(path):
        for name in files:
            os.chown(os.path.join(folder, name), *account.owner, follow_symlinks=False)
        if folder != str(path):
            os.chown(folder, *account.owner)
    os.chown(path, *account.owner)  # last: it tells that all below is done


def _candidates(folder: Path) -> Iterator[Account]:
    users = {user.pw_name: user for user in pwd.getpwall() if user.pw_uid != 0}
    services = [users[name] for name in _SERVICE_NAMES if name in users] or list(users.values())[:1]
    mapped = [Account(user.pw_uid, user.pw_gid, mapped=True) for user in services[-1:]]
    if folder.exists():
        uid, gid = _owner(folder)
        yield from mapped if uid == 0 else [Account(uid, gid)]
    for user in services:
        yield Account(user.pw_uid, user.pw_gid)
    yield from mapped


def _works(account: Account, program: Path, data: Path) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - our own binary
            [program, "--version"],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TRIAL_SECONDS,
            preexec_fn=entrance(account, data, signal.SIGKILL),
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid
