"""The wall between relayscope and the host: nothing we raise gets through, what it raises does."""

import functools
import logging
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from .host_signals import handle, hold_back_in, waiting

_P = ParamSpec("_P")
_T = TypeVar("_T")

_log = logging.getLogger("relayscope.instrumentation")


class Untold(RuntimeError):
    """A failure that is no news: it has been told before, or is as it should be."""


class NotMade(RuntimeError):
    """A failure for want of what a process needs: its message says it all, and no place in code."""


def shielded(function: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """Make `function` return None where it would raise, and say so once on the log.

    Only the first failure of each function is logged: a hook runs for every message, and a host
    whose log fills because of us would have failed because of us. Signal handlers of the host wait
    until it is done, and raise here what they raise.
    """
    told = False

    @functools.wraps(function)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        nonlocal told
        try:
            return function(*args, **kwargs)
        except Untold:
            return None
        except Exception as error:  # noqa: BLE001  # the host must not see any error of ours
            # As the interpreter goes away its modules are missing, and nobody can be told. Near the
            # host's recursion limit telling fails, too, and is left to the next failure.
            if not told and not sys.is_finalizing():
                told = True
                try:
                    _tell(function, error)
                except Exception:  # noqa: BLE001  # the same
                    told = False
            return None
        finally:
            # No call may stand between this and the return: a handler that has come to wait then
            # would wait for the next message.
            while waiting and handle():
                pass

    hold_back_in(wrapper)
    return wrapper


def _tell(function: Callable[..., object], error: Exception) -> None:
    if isinstance(error, NotMade):
        _log.warning("relayscope: %s", error)
        return
    _log.warning(
        "relayscope: %s failed; what it was about is not recorded "
        "(further failures here are not logged)",
        function.__qualname__,
        exc_info=True,
    )
