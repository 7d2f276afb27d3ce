"""The PostgreSQL and the Redis of an installation that was given neither: places, servers, stack."""
