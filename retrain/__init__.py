"""Decide, train, challenge, promote."""
