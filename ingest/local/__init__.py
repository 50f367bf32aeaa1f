"""The embedded event log: files, frames, and acknowledged appends."""
