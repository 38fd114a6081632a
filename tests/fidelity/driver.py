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
from typing import IO, Any, Final

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

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
        self.reconnect()

    def reconnect(self) -> None:
        """Open a new connection, and read it in a thread of its own."""
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
        self._pool = ThreadPoolExecutor(8)
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
                for line in response.iter_lines():
                    data = line.removeprefix("data:").strip()
                    if data and line.startswith("data:"):
                        self._heard(data)
            elif body := response.read():
                self._heard(body.decode())

    def close(self) -> None:
        """End the session."""
        self._pool.shutdown()
        self._client.close()


def answer_to(request: Any) -> str:
    """Return what this client says to a relay's request."""
    if request["method"] == "sampling/createMessage":
        result = {
            "role": "assistant",
            "content": request["params"]["messages"][0]["content"],
            "model": "none",
        }
    else:
        result = {}
    return json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result})
