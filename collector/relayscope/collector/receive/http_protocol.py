"""uvicorn's HTTP/1.1 protocol with a deadline for the head of a request.

uvicorn waits for ever for a client that sends its headers byte by byte, and such clients fill the
places for connections. Bodies have their own deadline in `body.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio


class DeadlineH11Protocol(H11Protocol):
    """Closes connections whose request head does not arrive in time."""

    def __init__(self, head_seconds: float, **uvicorn: Any) -> None:
        """Prepare a connection.

        Args:
            head_seconds: from the connection, or the first byte, to the end of the headers.
            uvicorn: arguments that uvicorn passes to its protocols.
        """
        super().__init__(**uvicorn)
        self._head_seconds = head_seconds
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the clock: a client connects to send something."""
        super().connection_made(transport)
        self._start_clock()

    def data_received(self, data: bytes) -> None:
        """Stop the clock when a request has begun, start it when a further one is awaited."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_clock()
        elif self._deadline is None:
            self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def _start_clock(self) -> None:
        self._deadline = self.loop.call_later(self._head_seconds, self._close)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
