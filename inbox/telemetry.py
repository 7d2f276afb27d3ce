"""Logs and metrics.

Logs are structured lines without message texts, addresses or credentials: ids only. Metrics are
Prometheus' and served at /metrics.
"""

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram

accepted = Counter("inbox_accepted_total", "Raw events committed and acknowledged.", ["kind"])
refused = Counter("inbox_refused_total", "Webhook requests refused.", ["reason"])
intake = Counter("inbox_intake_total", "Raw events taken from the log of arrivals.", ["outcome"])
accept_batch = Histogram(
    "inbox_accept_batch_size", "Requests that shared one commit.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
sends = Counter("inbox_send_attempts_total", "Attempts to hand a message to a provider.", ["kind", "outcome"])
relayed = Counter("inbox_relayed_events_total", "Events published to the streams.")
relay_rewinds = Counter("inbox_relay_rewinds_total", "Times that Redis had lost its memory and was refilled.")
consumed = Counter("inbox_consumed_total", "Entries that a consumer finished.", ["group", "outcome"])
dead_letters = Counter("inbox_dead_letters_total", "Dead letters written.", ["source"])
jobs = Counter("inbox_jobs_total", "Jobs run.", ["kind", "outcome"])
sweeps = Counter("inbox_swept_total", "Work that a sweep found because its wake-up was lost.", ["what"])
decisions = Counter("inbox_decisions_total", "Routing decisions.", ["outcome"])
arrival_to_push = Histogram(
    "inbox_event_to_socket_seconds", "From an event's commit to its frame being handed to sockets.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1, 5),
)  # fmt: skip
sockets = Gauge("inbox_sockets", "Connected sockets.", ["what"])
relay_lag = Gauge("inbox_relay_lag_events", "Events in the log that are not published yet.", ["shard"])


def configure(level: str, form: str) -> None:
    """Send structured logs to stderr, as text or JSON."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False, pad_event_to=0)
    )
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks if form == "json" else structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=max(number, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )
