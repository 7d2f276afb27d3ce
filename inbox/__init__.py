"""Meridian: an omnichannel inbox that follows the sun.

The product. Imports go down only: settings, errors, events; then access, db, outbox, streams, blobs,
crypto, http, telemetry, embedded; then records; then actions; then consumers and api; then app and
worker; then cli. `import-linter` holds it (pyproject.toml).
"""

__version__ = "0.1.0"
