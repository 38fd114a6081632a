"""The client at the outer end of a relay: plain transports, and nothing of relayscope."""

import json
import os
import signal
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from socket import SHUT_RDWR
from typing import IO, Any, Final
from urllib.parse import urljoin

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.fidelity.wire_bytes import events

PATIENCE_SECONDS: Final = 60

Heard = Callable[[str], None]


class Driver(ABC):
    """A way to send texts to a relay; what it says is told to `heard`, in another thread."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard

    @abstractmethod
    def send(self, text: str) -> None:
        """Send one text."""

    @abstractmethod
    def close(self) -> None:
        """Hang up, and wait until the relay is done."""

    def listen(self) -> None:  # noqa: B027  # most need not
        """Begin to hear what the relay says by itself, where that has to be asked for."""

    def reconnect(self) -> None:
        """Connect again after the connection was broken."""
        raise NotImplementedError(type(self).__name__)


class StdioDriver(Driver):
    """Starts the relay as its child."""

    def __init__(
        self, command: list[str], environment: Mapping[str, str], errors: IO[str], heard: Heard
    ) -> None:
        super().__init__(heard)
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            # Ended as one, should the relay hang: the tee is only its parent.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._heard(line)

    def send(self, text: str) -> None:
        """Write a line."""
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(text + "\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """Close the relay's stdin."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._reader.join(PATIENCE_SECONDS)
            self._process.stdout.close()


class WebSocketDriver(Driver):
    """Connects to a relay that serves a WebSocket."""

    def __init__(self, url: str, heard: Heard) -> None:
        super().__init__(heard)
        self._url = url
        self._stack = ExitStack()
        self._connect()

    def reconnect(self) -> None:
        """Wait until the connection is broken, and open another."""
        self._reader.join(PATIENCE_SECONDS)
        assert not self._reader.is_alive(), "the connection was not broken"
        self._connect()

    def _connect(self) -> None:
        """Open a connection, and read it in a thread of its own."""
        opening = connect(self._url, max_size=None, proxy=None)
        self._connection = self._stack.enter_context(opening)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with suppress(ConnectionClosed):
            for text in self._connection:
                self._heard(text if isinstance(text, str) else text.decode())

    def send(self, text: str) -> None:
        """Send a text frame."""
        self._connection.send(text)

    def close(self) -> None:
        """Close the connection in order."""
        self._stack.close()
        self._reader.join(PATIENCE_SECONDS)


class HttpDriver(Driver):
    """Posts to a relay that serves streamable HTTP."""

    def __init__(self, url: str, heard: Heard) -> None:
        super().__init__(heard)
        self._url = url
        self._client = httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False)
        self._pool = ThreadPoolExecutor(16)
        self._stream: httpx.Response | None = None
        self._headers = {"accept": "application/json, text/event-stream"}

    def send(self, text: str) -> None:
        """Post one text; wait for the response only where the session begins."""
        message = json.loads(text)
        posting = self._pool.submit(self._post, text)
        if "id" not in message or message.get("method") == "initialize":
            posting.result(PATIENCE_SECONDS)

    def _post(self, text: str) -> None:
        headers = self._headers | {"content-type": "application/json"}
        with self._client.stream(
            "POST", self._url, content=text.encode(), headers=headers
        ) as response:
            if session := response.headers.get("mcp-session-id"):
                self._headers["mcp-session-id"] = session
            if "text/event-stream" in response.headers.get("content-type", ""):
                for event in events(response.iter_lines()):
                    self._heard(event.data)
            elif (body := response.read()) and "json" in response.headers.get("content-type", ""):
                self._heard(body.decode())

    def listen(self) -> None:
        """Ask for the stream of what belongs to no request."""
        is_open = threading.Event()
        self._pool.submit(self._listen, is_open)
        is_open.wait(PATIENCE_SECONDS)

    def _listen(self, is_open: threading.Event) -> None:
        headers = self._headers | {"accept": "text/event-stream"}
        with (
            suppress(httpx.TransportError),
            self._client.stream("GET", self._url, headers=headers) as response,
        ):
            if response.is_success:
                self._stream = response
            is_open.set()
            if response.is_success:
                for event in events(response.iter_lines()):
                    self._heard(event.data)

    def close(self) -> None:
        """End the session, and hang up."""
        if "mcp-session-id" in self._headers:
            self._client.delete(self._url, headers=self._headers)
        self._hang_up()
        self._pool.shutdown()
        self._client.close()

    def _hang_up(self) -> None:
        """End the stream, which some servers leave open after the session."""
        if self._stream is not None and not self._stream.is_closed:
            socket = self._stream.extensions["network_stream"].get_extra_info("socket")
            with suppress(OSError):
                socket.shutdown(SHUT_RDWR)


class SseDriver(HttpDriver):
    """Uses the transport that streamable HTTP came after: one stream, and posts beside it."""

    def __init__(self, url: str, heard: Heard) -> None:
        super().__init__(url, heard)
        self._is_open = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(url,))
        self._reader.start()
        self._is_open.wait(PATIENCE_SECONDS)

    def _read(self, url: str) -> None:
        with suppress(httpx.TransportError), self._client.stream("GET", url) as response:
            self._stream = response
            for event in events(response.iter_lines()):
                if event.name == "endpoint":
                    self._url = urljoin(url, event.data)
                    self._is_open.set()
                else:
                    self._heard(event.data)

    def listen(self) -> None:
        """Do nothing: the stream is there from the beginning."""

    def close(self) -> None:
        """Hang up."""
        self._pool.shutdown()
        self._hang_up()
        self._reader.join(PATIENCE_SECONDS)
        self._client.close()


def answer_to(request: Any) -> str:
    """Return what this client says to a relay's request."""
    result: dict[str, Any]
    match request["method"]:
        case "sampling/createMessage":
            content = request["params"]["messages"][0]["content"]
            result = {"role": "assistant", "content": content, "model": "none"}
        case "elicitation/create":
            result = {"action": "accept", "content": {"said": request["params"]["message"]}}
        case "roots/list":
            result = {"roots": [{"uri": "file:///somewhere", "name": "somewhere"}]}
        case _:
            result = {}
    return json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result})
