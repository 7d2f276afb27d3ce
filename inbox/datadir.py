"""The data folder: one holder at a time, never newer than the program, with room to write."""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inbox import __version__
from inbox.errors import ConfigurationError

FORMAT = 1  # raised when an older program could no longer read what this one writes
LEAST_FREE = 64 * 1024 * 1024  # bytes
_LOCK_PATIENCE = (
    0.3  # seconds: `holder` takes the lock for an instant to look, a killed holder's goes with it
)


@contextlib.contextmanager
def hold(folder: Path, port: int | None) -> Iterator[Path]:
    """Create the folder where needed and hold it until the block ends, or until this process dies.

    Yields its resolved path. Raises ConfigurationError, in one sentence, for a folder that another process
    holds, that a newer version wrote, that cannot be written, or whose disk is full. `port` is what the next
    one who tries is told.
    """
    with _sentences(folder):
        folder = folder.resolve()
        _create(folder)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor, folder)
            refuse_full_disk(folder)
            _describe(descriptor, port)
            _refuse_newer(folder)
        except BaseException:
            os.close(descriptor)
            raise
    try:
        yield folder
    finally:
        os.close(descriptor)  # the kernel lets go of the lock with the last descriptor


def holder(folder: Path) -> dict[str, Any] | None:
    """Who holds the folder: `pid`, `port`, `since`; None when nobody does."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    finally:
        os.close(descriptor)
    return None


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def refuse_full_disk(folder: Path) -> None:
    """Raises ConfigurationError when less than LEAST_FREE is left."""
    free = free_bytes(folder)
    if free < LEAST_FREE:
        raise ConfigurationError(
            f"The disk of {folder} is full: {free // 2**20} MiB are free and "
            f"{LEAST_FREE // 2**20} MiB are needed; make room and start again."
        )


@contextlib.contextmanager
def _sentences(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ConfigurationError(f"The disk of {folder} is full; make room and start again.") from error
        raise ConfigurationError(
            f"The data folder {folder} cannot be written ({error.strerror}); "
            "give this user access to it or choose another with DATA_DIR."
        ) from error


def _create(folder: Path) -> None:
    if not folder.is_dir():
        # Others may pass through (a database started by root runs as somebody else), not look around.
        folder.mkdir(mode=0o711, parents=True)


def _lock(descriptor: int, folder: Path) -> None:
    deadline = time.monotonic() + _LOCK_PATIENCE
    while not _locked(descriptor):
        if time.monotonic() > deadline:
            other = _read(descriptor)
            who = f"process {other['pid']}" if "pid" in other else "another process"
            where = f" on port {other['port']}" if other.get("port") else ""
            since = f" since {other['since']}" if "since" in other else ""
            raise ConfigurationError(
                f"The data folder {folder} is held by {who}{where}{since}; "
                "stop it first or choose another folder with DATA_DIR."
            )
        time.sleep(0.02)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _describe(descriptor: int, port: int | None) -> None:
    text = json.dumps(
        {"pid": os.getpid(), "port": port, "since": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())}
    )
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def _read(descriptor: int) -> dict[str, Any]:
    try:
        value = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:  # its holder is just writing it
        return {}
    return value if isinstance(value, dict) else {}


def _refuse_newer(folder: Path) -> None:
    path = folder / "version.json"
    try:
        found = json.loads(path.read_bytes())
        number, version = int(found["format"]), str(found["version"])
    except FileNotFoundError:
        number, version = 0, ""
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{path} is damaged: it should read "
            f'{{"format": {FORMAT}, "version": "{__version__}"}}; restore it or the folder from a backup.'
        ) from None
    if number > FORMAT:
        raise ConfigurationError(
            f"The data folder {folder} was written by Meridian {version} (format {number}) and this is "
            f"{__version__} (up to format {FORMAT}); update Meridian or choose another folder with DATA_DIR."
        )
    if (number, version) != (FORMAT, __version__):
        _replace(path, json.dumps({"format": FORMAT, "version": __version__}) + "\n")


def _replace(path: Path, text: str) -> None:
    """Old content or new content after a power cut, never half of it."""
    draft = path.with_suffix(".new")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
