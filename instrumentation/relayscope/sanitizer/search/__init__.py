"""Searches for many expressions at once, in time in proportion to the text."""
