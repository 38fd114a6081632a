"""Errors of a spool.

Every failure is one of five; :attr:`SpoolError.retryable` is the one bit that callers need::

    SpoolError
     ├── SpoolFull          retryable    no room: the spool's own bound, the disk or a quota
     ├── SpoolUnavailable   retryable    the disk failed, is read-only or out of reach
     ├── SpoolHeld          retryable    another process (or reader) holds it
     ├── SpoolClosed        permanent    it was closed, or belongs to the parent process
     └── RecordTooLarge     permanent    the record can never fit into the bounds
"""

import errno
from typing import ClassVar

# A file-size limit (EFBIG) is a quota by another name.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


class SpoolError(Exception):
    """Any failure of a spool; a record that could not be appended leaves no trace in it."""

    retryable: ClassVar[bool]


class SpoolFull(SpoolError):
    """There is no room for the record now; the same append works once there is."""

    retryable = True


class SpoolUnavailable(SpoolError):
    """The disk refused; the same append works once the disk does."""

    retryable = True


class SpoolHeld(SpoolError):
    """Another process or reader works on this spool; it is free once that one ends."""

    retryable = True


class SpoolClosed(SpoolError):
    """The spool or reader was closed in this process, or belongs to its parent process."""

    retryable = False


class RecordTooLarge(SpoolError):
    """The record is larger than the whole spool may become."""

    retryable = False


def from_os(error: OSError, action: str) -> SpoolError:
    """Return the error for an `OSError` that was raised while doing ``action``."""
    reason = error.strerror or str(error)
    if error.errno in _NO_ROOM:
        return SpoolFull(f"Could not {action}: {reason}. Free space, then try again.")
    return SpoolUnavailable(
        f"Could not {action}: {reason}. Check the spool's folder and its disk, then try again."
    )
