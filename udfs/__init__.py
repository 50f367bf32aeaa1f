"""Statistics on arrays, and the one list of those that SQL may call."""
