"""`relayscope`, also as `python -m relayscope.collector`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say in one line what it needs."""
    try:
        # Its packages are not there where relayscope was installed for what it traces alone.
        from relayscope.collector.cli.main import main as command  # noqa: PLC0415  # see above

        command(prog_name="relayscope")
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("relayscope"):
            raise
        sys.exit(
            f"relayscope: the collector is not installed here (no module {missing.name}): "
            f"{sys.executable} -m pip install 'relayscope[collector]'"
        )


if __name__ == "__main__":
    main()
