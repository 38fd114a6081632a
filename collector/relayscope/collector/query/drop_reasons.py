"""The reasons for which a process or its forwarder drops records, in words.

The reasons are those of `relayscope.delivery.dropped`.
"""

from typing import Final

_WORDS: Final = {
    "full": "its spool was full, or the disk",
    "unavailable": "nothing could be written to its spool",
    "failed": "they could not be encoded",
    "size": "its spool had become too large",
    "age": "they had waited for too long",
    "torn": "the end of its spool was torn off",
    "corrupt": "its spool was damaged",
    "missing": "files of its spool were gone",
    "rejected": "the collector did not take them",
    "refused": "the collector refused the request that they were in",
}


def why_dropped(reason: str) -> str:
    """Say a reason in words; one that is not known is its own name."""
    return _WORDS.get(reason, reason)
