"""A TCP proxy to put in front of a server, to see what happens when the way to it fails.

In the spirit of psycopg's own `fix_proxy.py`.
"""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, Final, Self

import pytest
from sqlalchemy import make_url

_CHUNK_BYTES: Final = 65536
_ROUNDS: Final = 10


class Proxy:
    """Forwards connections to a loopback port, until it is told otherwise.

    Attributes:
        port: Its port on 127.0.0.1, also after `stop` and `start`.
    """

    port: int

    def __init__(self, upstream: str | tuple[str, int]) -> None:
        """Prepare; nothing listens yet.

        Args:
            upstream: The path of a Unix socket, or host and port.
        """
        self.port = 0
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._forwarding = asyncio.Event()
        self._bytes_per_second: float | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self) -> None:
        """Listen, and forward at full speed (again)."""
        self._do(self._start())

    def stop(self) -> None:
        """Break all connections and refuse new ones, as when nothing runs there."""
        self._do(self._stop())

    def deafen(self) -> None:
        """Accept connections and keep them, but forward nothing, as when the other side hangs."""
        self._loop.call_soon_threadsafe(self._forwarding.clear)

    def slow_down(self, bytes_per_second: float) -> None:
        """Forward at this speed, each way and connection."""
        self._bytes_per_second = bytes_per_second

    def _do(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)

    async def _start(self) -> None:
        self._bytes_per_second = None
        self._forwarding.set()
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._listener is not None:
            # A server that is closed while it accepts leaves that connection's socket to the
            # garbage collector (its transport cannot attach itself any more), whose warning
            # then fails some later test: first accept nothing new, then finish, then close.
            self._loop.remove_reader(self._listener.sockets[0].fileno())
            await self._let_others_run()
            self._listener.close()
            self._listener = None
        connections = tuple(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await self._let_others_run()

    async def _let_others_run(self) -> None:
        """Enough for an accepted connection to be handed on, and an aborted one to be closed."""
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._connect(reader, writer)
        except asyncio.CancelledError:
            # By `stop`. Passing it on would make asyncio report it as an error of its callback.
            pass
        finally:
            writer.transport.abort()
            self._connections.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            if isinstance(self._upstream, str):
                there = await asyncio.open_unix_connection(self._upstream)
            else:
                there = await asyncio.open_connection(*self._upstream)
            ways = {
                asyncio.ensure_future(self._forward(reader, there[1])),
                asyncio.ensure_future(self._forward(there[0], writer)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                there[1].transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK_BYTES):
            await self._forwarding.wait()
            if self._bytes_per_second is not None:
                await asyncio.sleep(len(data) / self._bytes_per_second)
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


@pytest.fixture
def database_proxy(database_url: str) -> Iterator[Proxy]:
    """A proxy in front of the server of the fresh database."""
    with Proxy(_upstream(database_url)) as proxy:
        yield proxy


@pytest.fixture
def proxied_database_url(database_url: str, database_proxy: Proxy) -> str:
    """The fresh, migrated database, through `database_proxy`."""
    return through(database_proxy, database_url)


@contextlib.contextmanager
def in_front_of(database_url: str) -> Iterator[tuple[Proxy, str]]:
    """Yield a proxy in front of a database, and the database's URL through it."""
    with Proxy(_upstream(database_url)) as proxy:
        yield proxy, through(proxy, database_url)


def through(proxy: Proxy, database_url: str) -> str:
    """Return the URL of a database that is reached through a proxy in front of its server."""
    url = make_url(database_url).set(host="127.0.0.1", port=proxy.port)
    return url.difference_update_query(["host"]).render_as_string(hide_password=False)


def _upstream(database_url: str) -> str | tuple[str, int]:
    url = make_url(database_url)
    port = url.port or 5432
    host = str(url.query.get("host") or url.host or "127.0.0.1")
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
