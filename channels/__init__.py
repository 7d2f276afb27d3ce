"""Adapters: translate the outside world.

A leaf. It may import the standard library, msgspec and the libraries of a provider's protocol; never
`inbox`, `routing` or `realtime`. It knows no database, no account and no clock: what an adapter needs
from outside (an HTTP client, the time, a file to read) is handed to it through the protocols of
`channels.base`. So an adapter is tested with a JSON file.
"""
