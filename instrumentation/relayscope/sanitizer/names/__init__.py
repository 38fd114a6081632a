"""Sensitive names: where they are mentioned, and which of them can have a value."""
