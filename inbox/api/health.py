"""Liveness, readiness, metrics."""

import asyncio
import ipaddress
from typing import Any

import asyncpg
from litestar import Request, Response, get
from prometheus_client import REGISTRY, generate_latest

from inbox import telemetry
from inbox.api.services import Services
from inbox.db import CONNECTION_ERRORS
from inbox.errors import NotFound


@get("/health/live", include_in_schema=False)
async def live() -> dict[str, str]:
    """This process answers."""
    return {"status": "live"}


@get("/health/ready", include_in_schema=False)
async def ready(services: Services) -> Response[dict[str, str]]:
    """This process can do its work: what it accepts will be kept."""
    try:
        async with asyncio.timeout(2), services.store.database.system() as tx:
            await tx.value("select 1")
    except (*CONNECTION_ERRORS, asyncpg.PostgresError):
        return Response({"status": "the database is away"}, status_code=503, headers={"retry-after": "2"})
    return Response({"status": "ready"})


def _is_near(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False


@get("/metrics", include_in_schema=False)
async def metrics(request: Request[Any, Any, Any], services: Services) -> Response[bytes]:
    """Prometheus' text format, for scrapers on this machine or its private network only."""
    if request.client is None or not _is_near(request.client.host):
        raise NotFound
    stats = services.hub.stats
    for name in stats.__struct_fields__:
        telemetry.sockets.labels(name).set(getattr(stats, name))
    return Response(generate_latest(REGISTRY), media_type="text/plain; version=0.0.4; charset=utf-8")
