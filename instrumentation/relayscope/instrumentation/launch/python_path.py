"""The PYTHONPATH with which Python loads OpenTelemetry's `sitecustomize` as it starts."""

import os
from functools import cache
from importlib.util import find_spec
from typing import Final

_LOADER: Final = "opentelemetry.instrumentation.auto_instrumentation"


def python_path_with_loader(python_path: str) -> str:
    """Return a PYTHONPATH that instruments a program."""
    return os.pathsep.join([_loader(), *_others(python_path)])


def python_path_without_loader(python_path: str) -> str:
    """Return a PYTHONPATH that leaves a program alone."""
    return os.pathsep.join(_others(python_path))


def _others(python_path: str) -> list[str]:
    return [path for path in python_path.split(os.pathsep) if path and path != _loader()]


@cache
def _loader() -> str:
    # Found and not imported: that takes 0.1 s.
    spec = find_spec(_LOADER)
    (loader,) = (spec and spec.submodule_search_locations) or ("",)
    return loader
