"""The check that the SDK still is as the fast path expects it.

The fast path writes names of the SDK's that are private. A release may change them at any time;
then the SDK makes its own spans and records, which costs more and loses nothing.
"""

import logging
from collections.abc import Callable
from importlib.metadata import version

_log = logging.getLogger("relayscope.instrumentation")


def holds(check: Callable[[], bool], what: str) -> bool:
    """Return whether a check holds; where it does not, or raises, log what that costs.

    Args:
        check: Uses every private name that the fast path uses, and reads the outcome by public
            ones.
        what: Name of what the SDK makes instead, for the log: `spans`.
    """
    try:
        if check():
            return True
    except Exception:  # noqa: BLE001  # a name that is gone may show itself in any way
        _log.debug("relayscope: the check of %s failed", what, exc_info=True)
    _log.warning(
        "relayscope: opentelemetry-sdk %s is not as relayscope knows it: the SDK makes its own %s, "
        "which takes more time; nothing is lost",
        version("opentelemetry-sdk"),
        what,
    )
    return False
