"""Loading OpenTelemetry and relayscope into a process that is meant: `loader/sitecustomize.py`."""

import os
import sys
from typing import Final

from .hooks.pipes.command_name import program_of
from .launch.python_path import TRACED
from .runtime.stderr import say

_OLDEST: Final = (1, 45)
"""OpenTelemetry's oldest version with all that is used of it, as `pyproject.toml` requires it."""

_SERVICE_NAME: Final = "OTEL_SERVICE_NAME"


def load(command: str) -> None:
    """Trace this process.

    Args:
        command: A number that stands for what it runs.
    """
    os.environ[TRACED] = f"{os.getpid()} {command} {os.environ.get(_SERVICE_NAME, '')}"
    unfit = _unfit()
    if unfit is not None:
        oldest = ".".join(map(str, _OLDEST))
        say(f"{unfit}: nothing is seen of this program; install 'opentelemetry-sdk>={oldest}'")
        return
    try:
        # Imported here: what is too old may not have it.
        # It takes a thread. Imported within `initialize`, what it lacks is told in a hundred lines.
        import opentelemetry.sdk._logs  # noqa: F401, PLC0415  # see above
        from opentelemetry.instrumentation.auto_instrumentation import (  # noqa: PLC0415
            initialize,
        )
    except Exception as error:  # noqa: BLE001  # no thread, descriptor or memory is left, say
        what = str(error) or type(error).__name__
        say(f"nothing is seen of this program: {what}; look at its limits (ulimit -a)")
        return
    initialize()


def load_child(command: str, its_name: str) -> None:
    """Trace this process, a child that was given what another is traced with, and its name.

    Args:
        command: A number that stands for what it runs.
        its_name: The other's, of which this is none.
    """
    if os.environ.get(_SERVICE_NAME, "") == its_name:
        os.environ[_SERVICE_NAME] = program_of(sys.orig_argv)
    load(command)


def _unfit() -> str | None:
    """Say what is wrong with the OpenTelemetry here, if anything is."""
    try:
        from opentelemetry.sdk.version import __version__ as found  # noqa: PLC0415
    except ImportError:
        return "OpenTelemetry's SDK is missing"
    version = tuple(int(number) for number in found.split(".")[:2])
    return f"OpenTelemetry's SDK {found} is too old" if version < _OLDEST else None
