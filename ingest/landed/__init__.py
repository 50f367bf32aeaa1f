"""Landed files: the chain, the SQL that makes them, compaction and pruning."""
