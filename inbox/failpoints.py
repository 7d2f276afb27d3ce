"""Failpoints: places where the fault tests kill or stop a process. Inert unless FAILPOINTS is set."""

import os
import signal

_plan: dict[str, tuple[str, int]] = {}
_hits: dict[str, int] = {}


def arm(plan: str) -> None:
    """`in.after_commit=kill@3,relay.after_xadd=stop@1`: at the third hit of the first point the process
    kills itself with SIGKILL; at the first hit of the second it stops with SIGSTOP until somebody sends SIGCONT."""
    for item in filter(None, plan.split(",")):
        name, _, action = item.partition("=")
        verb, _, count = action.partition("@")
        _plan[name] = (verb, int(count or 1))


def failpoint(name: str) -> None:
    if not _plan or name not in _plan:
        return
    verb, count = _plan[name]
    _hits[name] = _hits.get(name, 0) + 1
    if _hits[name] == count:
        os.kill(os.getpid(), signal.SIGKILL if verb == "kill" else signal.SIGSTOP)
