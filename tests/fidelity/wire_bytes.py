"""The messages in recorded bytes, by transport: the truth to compare with."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import h11
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import DATA_OPCODES, Frame
from websockets.streams import StreamReader


class Leg(NamedTuple):
    """Texts that crossed between two parties, in their order.

    Attributes:
        forth: Texts from the party that connected, or started the other.
        back: Texts to it.
    """

    forth: list[str]
    back: list[str]


def read(folder: Path, transport: str) -> Leg:
    """Return the messages that a tee has recorded in a folder."""
    leg = Leg([], [])
    for forth in sorted(folder.glob("*.forth")):
        there, back = forth.read_bytes(), forth.with_suffix(".back").read_bytes()
        if transport == "stdio":
            leg.forth.extend(_lines(there))
            leg.back.extend(_lines(back))
        elif transport == "websocket":
            _read_websocket(leg, there, back)
        else:
            _read_http(leg, there, back)
    return leg


def _lines(data: bytes) -> list[str]:
    return [line.decode() for line in data.split(b"\n") if line.strip()]


def _read_websocket(leg: Leg, forth: bytes, back: bytes) -> None:
    _, _, forth_frames = forth.partition(b"\r\n\r\n")
    head, _, back_frames = back.partition(b"\r\n\r\n")
    deflated = b"permessage-deflate" in head.lower()
    leg.forth.extend(_frames(forth_frames, deflated=deflated, masked=True))
    leg.back.extend(_frames(back_frames, deflated=deflated, masked=False))


def _frames(data: bytes, *, deflated: bool, masked: bool) -> Iterator[str]:
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    # A window of 15 bits reads whatever smaller window was agreed on.
    extensions = [PerMessageDeflate(False, False, 15, 15)] if deflated else []
    message = b""
    while True:
        parsing = Frame.parse(reader.read_exact, mask=masked, extensions=extensions)
        try:
            next(parsing)
        except StopIteration as finished:
            frame = finished.value
        except EOFError:
            return
        if frame.opcode in DATA_OPCODES:
            message += bytes(frame.data)
            if frame.fin:
                yield message.decode()
                message = b""


def _read_http(leg: Leg, forth: bytes, back: bytes) -> None:
    server, client = h11.Connection(h11.SERVER), h11.Connection(h11.CLIENT)
    server.receive_data(forth)
    server.receive_data(b"")
    client.receive_data(back)
    client.receive_data(b"")
    while True:
        request = server.next_event()
        if not isinstance(request, h11.Request):
            return
        text = b"".join(_body(server)).decode()
        if text.strip():
            leg.forth.append(text)
        client.send(h11.Request(method=request.method, target=b"/", headers=[("host", "x")]))
        client.send(h11.EndOfMessage())
        try:
            response = client.next_event()
            if isinstance(response, h11.Response):
                leg.back.extend(_response(dict(response.headers), b"".join(_body(client))))
            server.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            server.send(h11.EndOfMessage())
            server.start_next_cycle()
            client.start_next_cycle()
        except h11.ProtocolError:
            # A stream that was open when the connection ended has no end.
            return


def _body(connection: h11.Connection) -> Iterator[bytes]:
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            return
        if not isinstance(event, h11.Data):
            return
        yield bytes(event.data)


def _response(headers: dict[bytes, bytes], body: bytes) -> list[str]:
    text = body.decode()
    content_type = headers.get(b"content-type", b"")
    if b"text/event-stream" in content_type:
        lines = text.replace("\r\n", "\n").split("\n")
        return [event.data for event in events(lines) if event.name != "endpoint"]
    return [text] if b"json" in content_type and text.strip() else []


class Event(NamedTuple):
    """A server-sent event with data."""

    name: str
    data: str


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a stream that are complete and not empty."""
    name, data = "", ""
    for line in lines:
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data += line.removeprefix("data:").removeprefix(" ")
        elif not line:
            if data.strip():
                yield Event(name, data)
            name, data = "", ""
