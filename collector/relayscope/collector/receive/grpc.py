"""OTLP over gRPC: the three services as raw bytes, so that parsing happens off the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from relayscope.collector.decode import parse
from relayscope.collector.errors import StartError
from relayscope.collector.intake import Intake, Received
from relayscope.collector.signals import SIGNALS, Signal
from relayscope.collector.status import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from relayscope.collector.room import Reservation
    from relayscope.collector.settings import Address

    Context = grpc.aio.ServicerContext[bytes, bytes]

_CONNECTION_OPTIONS: Final[list[tuple[str, Any]]] = [
    # The parent holds the port (ports.py); workers share it.
    ("grpc.so_reuseport", 1),
    # A client that sends half a message and waits is cut off with its connection.
    ("grpc.max_connection_age_ms", 3_600_000),
    ("grpc.max_connection_age_grace_ms", 30_000),
    ("grpc.max_connection_idle_ms", 600_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_concurrent_streams", 64),
    ("grpc.max_metadata_size", 16_384),
]


def make_server(intake: Intake, max_message: int) -> grpc.aio.Server:
    """A server with the services of all signals, not listening yet."""
    server = grpc.aio.server(
        options=[*_CONNECTION_OPTIONS, ("grpc.max_receive_message_length", max_message)]
    )
    server.add_generic_rpc_handlers(
        [
            grpc.method_handlers_generic_handler(
                signal.service,
                {"Export": grpc.unary_unary_rpc_method_handler(_export(signal, intake))},
            )
            for signal in SIGNALS
        ]
    )
    return server


def listen(
    server: grpc.aio.Server, address: Address, credentials: grpc.ServerCredentials | None
) -> None:
    """Make the server listen.

    Raises:
        StartError: the address cannot be used.
    """
    try:
        if credentials is None:
            server.add_insecure_port(str(address))
        else:
            server.add_secure_port(str(address), credentials)
    except RuntimeError:
        raise StartError(f"cannot listen on {address} (gRPC)") from None


def _export(signal: Signal, intake: Intake) -> Callable[[bytes, Context], Awaitable[bytes]]:
    async def export(raw: bytes, context: Context) -> bytes:
        async def receive(reservation: Reservation) -> Received:
            reservation.grow(len(raw))
            return Received(raw, parse)

        answer = await intake.take(signal, "grpc", _authorization(context), receive)
        if isinstance(answer, Refusal):
            await context.abort(answer.code, answer.status.message, _trailers(answer))
        return answer.SerializeToString()

    return export


def _authorization(context: Context) -> str | None:
    values = [
        value
        for key, value in context.invocation_metadata() or ()
        if key == "authorization" and isinstance(value, str)
    ]
    return values[0] if len(values) == 1 else None


def _trailers(refusal: Refusal) -> tuple[tuple[str, bytes], ...]:
    """The status in full, and the retry delay once more where Python's client looks for it."""
    trailers = (("grpc-status-details-bin", refusal.status.SerializeToString()),)
    if refusal.retry_after is None:
        return trailers
    retry_info = refusal.status.details[0].value
    return (*trailers, ("google.rpc.retryinfo-bin", retry_info))
