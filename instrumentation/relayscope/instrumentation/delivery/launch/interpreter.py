"""The Python that runs this process."""

import sys
from pathlib import Path


def interpreter() -> str:
    """Return its path."""
    # A server that embeds Python, such as uWSGI, is its own sys.executable.
    if Path(sys.executable).name.startswith("python"):
        return sys.executable
    if sys.platform == "win32":
        prefix = Path(sys.prefix)
        in_environment = prefix / "Scripts" / "python.exe"
        return str(in_environment if in_environment.exists() else prefix / "python.exe")
    return str(Path(sys.prefix) / "bin" / "python3")
