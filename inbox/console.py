"""What the supervisor prints: its own lines, and its children's with their names in front."""

import json
import sys
import time

_LEVELS = ("debug", "info", "warning", "error")
_WIDTH = 9


class Console:
    """Lines on standard output, as text or as JSON objects."""

    def __init__(self, level: str, form: str) -> None:
        self._least = _LEVELS.index(level) if level in _LEVELS else _LEVELS.index("info")
        self._json = form == "json"
        self._broken = False

    def report(self, component: str, level: str, event: str) -> None:
        """A line of our own about a component."""
        if _LEVELS.index(level) >= self._least:
            self._write(self._object(component, level, event) if self._json else self._text(component, event))

    def pass_on(self, component: str, line: str) -> None:
        """A child's line: as text with its name in front; as JSON untouched when it is an object already."""
        if not self._json:
            self._write(self._text(component, line))
        elif line.startswith("{"):
            self._write(line)
        else:
            self._write(self._object(component, "info", line))

    def _text(self, component: str, line: str) -> str:
        return f"{component:<{_WIDTH}}| {line}"

    def _object(self, component: str, level: str, event: str) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return json.dumps({"timestamp": at, "level": level, "component": component, "event": event})

    def _write(self, line: str) -> None:
        if self._broken:
            return
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except BrokenPipeError:  # who read us went away; the product goes on without them
            self._broken = True
