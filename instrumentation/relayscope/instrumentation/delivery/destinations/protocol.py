"""The destination for the protocol that `OTEL_EXPORTER_OTLP_PROTOCOL` names."""

import os
import sys

from relayscope.conventions.install_command import install_command

from .destination import Destination
from .unfit_packages import raise_for_packages


def open_destination() -> Destination:
    """Return the destination that the environment names.

    Raises:
        ValueError: The protocol has no such value.
        ImportError: A package that the protocol needs is not installed, or fits no other.
    """
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").strip()
    match protocol:
        case "grpc":
            return _open_grpc()
        case "http/protobuf":
            try:
                from .http import HttpDestination  # noqa: PLC0415  # an optional dependency
            except ModuleNotFoundError as error:
                raise ImportError(
                    f"OTLP over HTTP needs {error.name}: "
                    f"{install_command(sys.executable, 'relayscope[http]')}"
                ) from None
            except Exception as error:  # noqa: BLE001  # raised anew
                raise_for_packages(error)
            return HttpDestination()
    raise ValueError(
        f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}; use one of: grpc, http/protobuf."
    )


def _open_grpc() -> Destination:
    try:
        from .grpc import GrpcDestination  # noqa: PLC0415  # grpc takes 50 ms to import
    except ModuleNotFoundError:
        raise
    except Exception as error:  # noqa: BLE001  # raised anew
        raise_for_packages(error)
    try:
        return GrpcDestination()
    except TypeError as error:
        # What was generated for a later gRPC tells this one what it does not know.
        raise_for_packages(error)
