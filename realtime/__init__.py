"""A fan-out engine: dense logs in, gap-free websockets out.

A leaf. It may import the standard library and msgspec; never `inbox`, `channels` or `routing`. It knows
bytes, topics and cursors only: no database, no Redis, no web framework, no accounts, no meaning of an event.
What it needs from outside (a log to read, a feed to listen to, a socket to write to, somebody who decides
about topics) is handed to `realtime.hub.Hub` through the protocols of `feed` and `connection`.
"""
