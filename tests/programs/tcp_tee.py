"""Forwards TCP connections and records every byte on the way.

usage: tcp_tee.py FOLDER LISTEN_PORT PORT

Writes `FOLDER/N.forth` (what the one who connected said) and `FOLDER/N.back` (what it was told) for
connection N. It understands nothing of what passes. SIGUSR1 breaks all connections.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

_writers: set[asyncio.StreamWriter] = set()
_numbers = count(1)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, record: Path) -> None:
    """Copy until the reader ends; record what is passed on."""
    with record.open("wb", buffering=0) as file, suppress(OSError):
        while data := await reader.read(65536):
            file.write(data)
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def forward(
    folder: Path, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Forward one connection."""
    name = folder / str(next(_numbers))
    with suppress(OSError):
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        _writers.update((writer, there_writer))
        await asyncio.gather(
            copy(reader, there_writer, Path(f"{name}.forth")),
            copy(there_reader, writer, Path(f"{name}.back")),
        )
        _writers.difference_update((writer, there_writer))
        there_writer.close()
    writer.close()


def break_all() -> None:
    """Break all connections without a word."""
    for writer in _writers:
        writer.transport.abort()


async def main() -> None:
    """Forward until killed."""
    folder, listen_port, port = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, break_all)
    server = await asyncio.start_server(
        lambda reader, writer: forward(folder, port, reader, writer), "127.0.0.1", listen_port
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
