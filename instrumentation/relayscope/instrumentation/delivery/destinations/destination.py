"""Where requests go: an OTLP receiver, over gRPC or HTTP, as the standard variables say.

OpenTelemetry's own exporters read the variables and make the connection. They give up within
seconds and do not read the answer, so the request itself is sent here. That uses some of their
private names; `tests/instrumentation/delivery/destinations/test_destination.py` notices when a
release changes them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from relayscope.instrumentation.delivery.encoding.otlp import Request


class Answer(NamedTuple):
    """What the receiver said about a request that it took.

    Attributes:
        rejected: How many of its records it did not take (partial success).
        message: Why, or a warning; empty if all is well.
    """

    rejected: int
    message: str


class Unavailable(Exception):
    """The same request may succeed later.

    Attributes:
        retry_after: Seconds that the receiver asked for; None if it did not.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Misconfigured(Unavailable):
    """The same request may succeed once somebody has put something right."""


class Refused(Exception):
    """The receiver will never take this request."""


MISCONFIGURED_SECONDS: Final = 30.0
"""How long until a receiver is asked again that knows no such service, or does not know us. OTLP
calls that final, but the records are not at fault: they wait until somebody puts it right."""


class Destination(Protocol):
    """An OTLP receiver."""

    def send(self, request: Request) -> Answer:
        """Send a request once.

        Raises:
            Unavailable: Later, perhaps.
            Misconfigured: Not by itself.
            Refused: Never.
        """


def open_destination() -> Destination:
    """Return the destination that the environment names.

    Raises:
        ValueError: The protocol has no such value.
        ImportError: What the protocol needs is not installed.
    """
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").strip()
    openers: dict[str, Callable[[], Destination]] = {
        "grpc": _open_grpc,
        "http/protobuf": _open_http,
    }
    if protocol not in openers:
        raise ValueError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}; use one of: {', '.join(openers)}."
        )
    return openers[protocol]()


def _open_grpc() -> Destination:
    from .grpc import GrpcDestination  # noqa: PLC0415  # grpc takes 50 ms to import

    return GrpcDestination()


def _open_http() -> Destination:
    from .http import HttpDestination  # noqa: PLC0415  # an optional dependency

    return HttpDestination()
