"""Whether our port is free, and who has it when it is not."""

import contextlib
import errno
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from inbox.errors import ConfigurationError

_PATIENCE = 0.5  # seconds: the web process of a supervisor that was just killed lets go in this time


def refuse_busy_port(host: str, port: int) -> None:
    """Raises ConfigurationError, naming the holder where the system tells, unless `port` can be listened on."""
    deadline = time.monotonic() + _PATIENCE
    while (error := _bind_error(host, port)) is not None:
        if error.errno != errno.EADDRINUSE:
            raise ConfigurationError(_refusal(host, port, error))
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"Port {port} is in use{_by_whom(port)}; stop that or choose another with PORT={port + 1}."
            )
        time.sleep(0.02)


def _bind_error(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen(1)
    except OSError as error:
        return error
    return None


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} may only be used by root here; choose one above 1023 with PORT=8000."
    return f"{host}:{port} cannot be listened on ({error.strerror}); correct HOST and PORT."


def _by_whom(port: int) -> str:
    wanted = {f"socket:[{inode}]" for inode in _listening(port)}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*") if wanted else ():
        # Processes end while we look, and those of other users do not show theirs.
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()) in wanted:
                process = descriptor.parent.parent
                return f" by {(process / 'comm').read_text().strip()} (pid {process.name})"
    return ""


def _listening(port: int) -> Iterator[str]:
    """Inodes of the sockets that listen on a TCP port; columns as in proc_net_tcp(5), state 0A is LISTEN."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        for row in Path(table).read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]
