"""The variables with which Python loads OpenTelemetry and relayscope as it starts."""

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

TRACED: Final = "_RELAYSCOPE_TRACED"
"""Variable that says which process is traced: its id, its command as a number, its name. Children
that come by the others know by it that they are not meant (`loader/sitecustomize.py`)."""

_LOADER: Final = str(Path(__file__).parents[1] / "loader")
_OF_OPENTELEMETRY: Final = "opentelemetry.instrumentation.auto_instrumentation"


def python_path_with_loader(python_path: str) -> str:
    """Return a PYTHONPATH that instruments a program."""
    return os.pathsep.join([_LOADER, *_others(python_path)])


def python_path_without_loader(python_path: str) -> str:
    """Return a PYTHONPATH that leaves a program alone."""
    return os.pathsep.join(_others(python_path))


def _others(python_path: str) -> list[str]:
    loaders = {_LOADER, _loader_of_opentelemetry()}
    return [path for path in python_path.split(os.pathsep) if path and path not in loaders]


@cache
def _loader_of_opentelemetry() -> str:
    # Found and not imported: that takes 0.1 s.
    spec = find_spec(_OF_OPENTELEMETRY)
    (loader,) = (spec and spec.submodule_search_locations) or ("",)
    return loader
