"""Where Python finds, as it starts, what instruments a program: OpenTelemetry's `sitecustomize`."""

import os
from pathlib import Path

from opentelemetry.instrumentation import auto_instrumentation


def loading(python_path: str, *folders: str) -> str:
    """Return a PYTHONPATH that instruments a program; ``folders`` follow where they are missing."""
    loader = str(Path(auto_instrumentation.__file__).parent)
    paths = [path for path in python_path.split(os.pathsep) if path and path != loader]
    missing = [folder for folder in folders if folder not in paths]
    return os.pathsep.join([loader, *missing, *paths])
