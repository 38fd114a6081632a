"""`relayscope`, also as `python -m relayscope.collector`."""

from __future__ import annotations

import os
import sys

from relayscope.conventions.install_command import install_command


def main() -> None:
    """Run the command line, or say in one line what it needs."""
    # gRPC's core reads it as it is imported. By itself it writes a line to stderr, which is no
    # JSON, for each stranger that speaks no TLS.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        # Its packages are not there where relayscope was installed for what it traces alone.
        from relayscope.collector.cli.main import main as command  # noqa: PLC0415  # see above

        command(prog_name="relayscope")
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("relayscope"):
            raise
        sys.exit(
            f"relayscope: the collector is not installed here (no module {missing.name}): "
            f"{install_command(sys.executable, 'relayscope[collector]')}"
        )


if __name__ == "__main__":
    main()
