"""Levels that are set from outside: what is asked for, and who has taken it."""

from typing import Final

LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF")
"""The levels of a traced process, the finest first."""

__all__ = ["LEVELS"]
