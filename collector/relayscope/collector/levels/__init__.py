"""Levels that are set from outside: what is asked for, and who has taken it."""
