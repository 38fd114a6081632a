"""OTLP over gRPC: the three services as raw bytes, so that parsing happens off the event loop.

A unary call is served as one with a stream of one message, which is the same on the wire: so the
message is read when there is room for it and not before. gRPC reads a unary call's message by
itself; unread, a message waits in the sender, and only the 16 KiB of its window are here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from relayscope.collector.errors import StartError, TooLarge, TooSlow
from relayscope.collector.ingest.decode import parse
from relayscope.collector.receive.admission import Admission, Caller, Received
from relayscope.collector.receive.status import Refusal
from relayscope.collector.signals import SIGNALS, Signal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from relayscope.collector.config.settings import Address, Settings
    from relayscope.collector.ingest.inflight_limit import Reservation

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
    # A window that grows by itself makes what is unread grow with it.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 16_384),
    # Each connection prepares a buffer as large as what it read last: 64 senders of 1 MB held
    # 130 MiB of them, with this 30.
    ("grpc.experimental.tcp_max_read_buffer_size", 65_536),
    ("grpc.max_metadata_size", 16_384),
]


def make_server(admission: Admission, settings: Settings) -> grpc.aio.Server:
    """A server with the services of all signals, not listening yet."""
    server = grpc.aio.server(
        options=[
            *_CONNECTION_OPTIONS,
            ("grpc.max_receive_message_length", settings.grpc_max_message),
            ("grpc.max_allowed_incoming_connections", settings.max_connections),
        ]
    )
    server.add_generic_rpc_handlers(
        [
            grpc.method_handlers_generic_handler(
                signal.service,
                {
                    "Export": grpc.stream_unary_rpc_method_handler(
                        _export(signal, admission, settings)
                    )
                },
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


def _export(
    signal: Signal, admission: Admission, settings: Settings
) -> Callable[[object, Context], Awaitable[bytes]]:
    most, seconds = settings.grpc_max_message, settings.receive_timeout

    async def export(_stream: object, context: Context) -> bytes:
        async def receive(_reservation: Reservation) -> Received:
            try:
                async with asyncio.timeout(seconds):
                    raw = await context.read()
            except TimeoutError:
                raise TooSlow(f"the request did not arrive within {seconds:g} s") from None
            if not isinstance(raw, bytes):  # the end: gRPC has refused it, or there was none
                raise TooLarge(f"a request has one message of {most} bytes at most")
            return Received(raw, parse)

        answer = await admission.take(signal, _caller(context), most, receive)
        if isinstance(answer, Refusal):
            return _refuse(context, answer)
        return answer.SerializeToString()

    return export


def _refuse(context: Context, refusal: Refusal) -> bytes:
    """Refuse a request.

    Not by `abort`: its exception keeps the call until the interpreter looks for cycles.
    """
    context.set_code(refusal.code)
    context.set_details(refusal.status.message)
    context.set_trailing_metadata(_trailers(refusal))
    return b""


def _caller(context: Context) -> Caller:
    connection = str(context.peer())
    return Caller("grpc", connection.rpartition(":")[0], connection, _authorization(context))


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
