"""The wall between relayscope and the host: nothing we raise gets through."""

import functools
import logging
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

_log = logging.getLogger("relayscope.instrumentation")


def shielded(function: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """Make `function` return None where it would raise, and say so once on the log.

    Only the first failure of each function is logged: a hook runs for every message, and a host
    whose log fills because of us would have failed because of us.
    """
    told = False

    @functools.wraps(function)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        nonlocal told
        try:
            return function(*args, **kwargs)
        except Exception:  # noqa: BLE001  # the host must not see any error of ours
            # As the interpreter goes away its modules are missing, and nobody can be told.
            if not told and not sys.is_finalizing():
                told = True
                _log.warning(
                    "relayscope: %s failed; what it was about is not recorded "
                    "(further failures here are not logged)",
                    function.__qualname__,
                    exc_info=True,
                )
            return None

    return wrapper
