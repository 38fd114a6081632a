"""The destination for the protocol that `OTEL_EXPORTER_OTLP_PROTOCOL` names."""

import os
import sys

from relayscope.conventions.install_command import install_command

from .destination import Destination


def open_destination() -> Destination:
    """Return the destination that the environment names.

    Raises:
        ValueError: The protocol has no such value.
        ImportError: A package that the protocol needs is not installed.
    """
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").strip()
    match protocol:
        case "grpc":
            from .grpc import GrpcDestination  # noqa: PLC0415  # grpc takes 50 ms to import

            return GrpcDestination()
        case "http/protobuf":
            try:
                from .http import HttpDestination  # noqa: PLC0415  # an optional dependency
            except ModuleNotFoundError as error:
                raise ImportError(
                    f"OTLP over HTTP needs {error.name}: "
                    f"{install_command(sys.executable, 'relayscope[http]')}"
                ) from None
            return HttpDestination()
    raise ValueError(
        f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}; use one of: grpc, http/protobuf."
    )
