"""Routing: pure decisions about time and people.

A leaf. It may import the standard library and msgspec; never `inbox`, `channels` or `realtime`. It does
no I/O, knows no database and has no clock: everything it judges, the present instant included, is an
argument. The same arguments always give the same answer.
"""
