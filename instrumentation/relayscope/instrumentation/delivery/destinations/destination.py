"""An OTLP receiver, and why it may not take a request.

OpenTelemetry's own exporters read the variables and make the connection. They give up within
seconds and do not read the answer, so the request itself is sent by what is here (`grpc.py`,
`http.py`). That uses some of their private names;
`tests/instrumentation/delivery/destinations/test_destination.py` notices when a release changes
them.
"""

from typing import Final, Protocol

from relayscope.instrumentation.delivery.encoding.otlp import Request

from .answer import Answer


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
"""Seconds until a receiver is asked again that knows no such service, or does not know us. OTLP
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
