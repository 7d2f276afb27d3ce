"""Every error leaves as a problem document (RFC 9457), and none tells more than it should."""

from typing import Any

import asyncpg
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from inbox.db import CONNECTION_ERRORS, RETRY_ERRORS
from inbox.errors import BadInput, ProblemError, TooLarge, TooMany, Unavailable

log = structlog.get_logger()

_TYPE = "application/problem+json"


def _response(error: ProblemError) -> Response[dict[str, Any]]:
    headers = {}
    if isinstance(error, TooMany | Unavailable):
        headers["retry-after"] = str(error.retry_after)
    return Response(error.document(), status_code=error.status, media_type=_TYPE, headers=headers)


def on_problem(_: Request[Any, Any, Any], error: ProblemError) -> Response[dict[str, Any]]:
    return _response(error)


def on_http_error(_: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """Litestar's own: bad parameters, unknown routes, wrong methods."""
    if isinstance(error, ValidationException) or error.status_code == 400:
        return _response(BadInput(_words(error)))
    if error.status_code == 413:
        return _response(TooLarge())
    body = {"type": f"/problems/{error.status_code}", "title": error.detail, "status": error.status_code}
    return Response(body, status_code=error.status_code, media_type=_TYPE)


def _words(error: HTTPException) -> str:
    extra = error.extra
    if isinstance(extra, list) and extra and isinstance(extra[0], dict):
        return f"{extra[0].get('key', '')}: {extra[0].get('message', '')}".strip(": ")
    return error.detail.split(" for ")[0] if error.detail else ""


def on_failure(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Whatever nobody expected. The log has it whole; the client learns nothing of our insides."""
    if isinstance(error, (*CONNECTION_ERRORS, *RETRY_ERRORS)):
        log.warning("request.unavailable", path=request.url.path, error=type(error).__name__)
        return _response(Unavailable("The database is away for a moment. Please try again."))
    if isinstance(error, asyncpg.CharacterNotInRepertoireError | asyncpg.UntranslatableCharacterError):
        return _response(BadInput("The text holds a NUL character, which cannot be stored."))
    if isinstance(error, RecursionError | UnicodeDecodeError | UnicodeEncodeError):
        return _response(BadInput("The body could not be read."))
    log.error("request.failed", path=request.url.path, exc_info=error)
    return _response(ProblemError("It has been logged. Please try again."))
