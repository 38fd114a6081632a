"""Rows that PostgreSQL refuses, told from a database that is in no state to store."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import psycopg

T = TypeVar("T")

# SQLSTATE classes and codes that the same row will meet again, whenever it is written.
_ROW_CLASSES: Final = frozenset({"22", "54"})  # data exception, program limit exceeded
_ROW_CODES: Final = frozenset({"23502"})  # not null violation

ROW_ERRORS: Final = (psycopg.Error, TypeError, ValueError, OverflowError)
"""Errors that sending a bad row may raise: PostgreSQL's, or a failure to encode it."""


def is_of_the_row(error: Exception) -> bool:
    """Tell whether the row is to blame, so that trying again is of no use.

    Everything else (no connection, no space, no such table, no permission, a timeout) is a state
    of the database, and its end may be waited for.
    """
    if not isinstance(error, psycopg.Error):
        return True
    if error.sqlstate is None:
        # Raised on our side, before anything was sent.
        return isinstance(error, psycopg.DataError)
    return error.sqlstate[:2] in _ROW_CLASSES or error.sqlstate in _ROW_CODES


def reason(error: Exception) -> str:
    """Name an error without its text, which may repeat the row's."""
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return f"{type(error).__name__} ({state})" if state else type(error).__name__


# Each refused row costs up to 2 * log2(n) attempts of 0.3 ms. A request that is refused this often
# is broken as a whole, and must not keep the others waiting.
_MOST_ATTEMPTS: Final = 200


class RefusedRows:
    """Finds the rows of one batch that PostgreSQL refuses, and stores the others."""

    def __init__(self, connection: psycopg.Connection[Any], until: float) -> None:
        """Prepare to sift.

        Args:
            connection: In a transaction.
            until: Time to stop searching (`time.monotonic`): what is refused as a whole after that
                is not looked into, so that a call always ends in time.
        """
        self._connection = connection
        self._until = until
        self._attempts = 0
        self.reason = ""
        """The reason for the first refused row."""

    def sift(self, rows: Sequence[T], store: Callable[[Sequence[T]], None]) -> list[T]:
        """Store all rows that can be, halving what is refused as a whole.

        Args:
            rows: The rows.
            store: Stores some of them, or raises one of `ROW_ERRORS` and stores none.

        Returns:
            The refused rows.

        Raises:
            psycopg.Error: The database is in no state to store anything.
        """
        if not rows:
            return []
        try:
            with self._connection.transaction():
                store(rows)
        except ROW_ERRORS as error:
            if not is_of_the_row(error):
                raise
            self._attempts += 1
            if len(rows) == 1 or self._is_hopeless():
                self.reason = self.reason or reason(error)
                return list(rows)
        else:
            return []
        middle = len(rows) // 2
        return self.sift(rows[:middle], store) + self.sift(rows[middle:], store)

    def _is_hopeless(self) -> bool:
        return self._attempts > _MOST_ATTEMPTS or time.monotonic() > self._until
