"""What the engine counts."""

from msgspec import Struct


class Stats(Struct):
    """Counters, which only grow; but `open` connections and followed `logs` are how many there are now."""

    open: int = 0
    logs: int = 0
    connected: int = 0
    resumed: int = 0
    reset: int = 0
    dropped_slow: int = 0
    dropped_ephemeral: int = 0
    events_in: int = 0
    frames_out: int = 0
    gaps_healed: int = 0
    duplicates: int = 0
    source_failures: int = 0
    log_failures: int = 0
