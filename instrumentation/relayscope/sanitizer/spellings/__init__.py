"""Spellings of a text: what is written otherwise than it reads."""
