"""The PYTHONPATH with which Python loads OpenTelemetry's `sitecustomize` as it starts."""

import os
from importlib.util import find_spec
from typing import Final

_LOADER: Final = "opentelemetry.instrumentation.auto_instrumentation"


def python_path_with_loader(python_path: str, *folders: str) -> str:
    """Return a PYTHONPATH that instruments a program; ``folders`` follow where they are missing."""
    # Found and not imported: that takes 0.1 s.
    spec = find_spec(_LOADER)
    (loader,) = (spec and spec.submodule_search_locations) or ("",)
    paths = [path for path in python_path.split(os.pathsep) if path and path != loader]
    missing = [folder for folder in folders if folder not in paths]
    return os.pathsep.join([loader, *missing, *paths])
