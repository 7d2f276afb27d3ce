"""What no page of ours may do while a story runs: log errors, break its policy, speak to the outside."""

from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Request, WebError

_HERE = {"127.0.0.1", "localhost"}
_LOCAL_SCHEMES = {"data", "blob", "about"}


class Watch:
    """Collects what went wrong on every page of the contexts that it follows.

    Errors on the console include violations of the Content-Security-Policy and answers of 400 and above; a story
    that provokes one names it with `expect`.
    """

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._expected: list[str] = []

    def expect(self, *words: str) -> None:
        """Problems that contain one of these words belong to the story."""
        self._expected += words

    @property
    def problems(self) -> list[str]:
        return [line for line in self._seen if not any(words in line for words in self._expected)]

    def follow(self, context: BrowserContext) -> None:
        context.on("console", self._logged)
        context.on("weberror", self._raised)
        context.on("request", self._asked)

    def _logged(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self._seen.append(f"console: {line.text} at {line.location.get('url', '')}")

    def _raised(self, error: WebError) -> None:
        self._seen.append(f"uncaught: {error.error}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in _LOCAL_SCHEMES and address.hostname not in _HERE:
            self._seen.append(f"left the machine: {request.url}")
