"""The scoring API behind `ingest.api`: routes, types, limits, keys, and its server."""
