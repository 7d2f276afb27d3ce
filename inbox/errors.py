"""Domain errors and their one mapping to HTTP (RFC 9457 problem details)."""

from typing import Any


class ConfigurationError(Exception):
    """The installation cannot start as configured. The text is one sentence for its operator."""


class ProblemError(Exception):
    """Base of every error that a client is told about.

    `status` and `slug` identify the kind; `words` say what happened and what to do; `extra` is merged
    into the problem document.
    """

    status = 500
    slug = "internal"
    title = "Something went wrong on our side"

    def __init__(self, words: str = "", **extra: Any) -> None:
        super().__init__(words or self.title)
        self.words = words
        self.extra = extra

    def document(self) -> dict[str, Any]:
        body: dict[str, Any] = {"type": f"/problems/{self.slug}", "title": self.title, "status": self.status}
        if self.words:
            body["detail"] = self.words
        return body | self.extra


class BadInput(ProblemError):
    status, slug, title = 422, "bad-input", "That could not be understood"


class Unauthenticated(ProblemError):
    status, slug, title = 401, "unauthenticated", "Please sign in"


class Forbidden(ProblemError):
    status, slug, title = 403, "forbidden", "You may not do that"


class NotFound(ProblemError):
    status, slug, title = 404, "not-found", "There is nothing here"


class Conflict(ProblemError):
    """Somebody else changed it first, or the state does not allow it."""

    status, slug, title = 409, "conflict", "It has changed in the meantime"


class TooLarge(ProblemError):
    status, slug, title = 413, "too-large", "That is too large"


class TooMany(ProblemError):
    """Rate limit. `retry_after` in seconds goes into the header of the same name."""

    status, slug, title = 429, "too-many", "Too many requests, please wait"

    def __init__(self, retry_after: int, words: str = "") -> None:
        super().__init__(words, retry_after=retry_after)
        self.retry_after = retry_after


class Unavailable(ProblemError):
    """Nothing was stored; the caller should come again."""

    status, slug, title = 503, "unavailable", "We cannot take this right now"
    retry_after = 2
