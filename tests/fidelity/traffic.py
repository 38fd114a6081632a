"""Seeded random traffic: what a client says to a relay, and when."""

import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.fidelity.driver import PATIENCE_SECONDS, Driver, answer_to
from tests.programs.busy_backend import CONTENTS, FOLDER, PROMPT, QUESTIONS, TOOL, filler

SECRET: Final = "relayscope-planted-Zq8vK2"
"""The beginning of every planted secret."""

_SCREENSHOT: Final = 100_000
"""Bytes of an image, or whatever else a tool answers with, as large as they often are."""


@dataclass(frozen=True)
class Abilities:
    """Abilities of a relay, by which its traffic is chosen.

    Attributes:
        concurrent: Number of calls that are open at once.
        largest: Bytes of the largest text.
        asks: True if the backend may send the client requests and notifications.
        steps: True if the backend may report progress.
        cancels: True if a call may be cancelled.
        anything: True if it passes on what MCP does not know.
        batches: True if it passes on arrays.
    """

    concurrent: int = 4
    largest: int = 2_000_000
    asks: bool = True
    steps: bool = True
    cancels: bool = False
    anything: bool = False
    batches: bool = False


@dataclass
class Traffic:
    """One conversation with a relay.

    Attributes:
        secrets: True if the calls carry secrets.
        driver: Set before `play`.
    """

    abilities: Abilities
    chance: random.Random
    secrets: bool = False
    driver: Driver = field(init=False)
    _open: dict[str, threading.Semaphore] = field(default_factory=dict)
    _number: int = 0

    def __post_init__(self) -> None:
        self._room = threading.Semaphore(self.abilities.concurrent)
        self._quiet = threading.Condition()

    def hear(self, text: str) -> None:
        """Take what the relay says: an answer, or something to answer."""
        data = json.loads(text)
        for message in data if isinstance(data, list) else [data]:
            if "method" not in message:
                self._answered(message.get("id"))
            elif "id" in message:
                self.driver.send(answer_to(message))

    def play(self, rounds: int) -> None:
        """Shake hands, then say this many things of all kinds, one as large as may be."""
        self._handshake()
        self.go_on(rounds)

    def go_on(self, rounds: int) -> None:
        """Say this many things more."""
        self._request("tools/call", self._call(self.abilities.largest))
        for kind in self._kinds(rounds):
            kind()
        self.wait_until_quiet()

    def _handshake(self) -> None:
        hello = {
            "protocolVersion": "2025-06-18",
            "capabilities": {"sampling": {}, "elicitation": {}, "roots": {}},
            "clientInfo": {"name": "driver", "version": "1"},
        }
        self._request("initialize", hello)
        self.wait_until_quiet()
        self._notify("notifications/initialized", {})
        self.driver.listen()
        self._request("tools/list", {})
        self.wait_until_quiet()

    def wait_until_quiet(self) -> None:
        """Wait until everything that was asked is answered."""
        with self._quiet:
            if not self._quiet.wait_for(lambda: not self._open, PATIENCE_SECONDS):
                raise TimeoutError(f"never answered: {sorted(self._open)[:5]}")

    def _kinds(self, rounds: int) -> list[Callable[[], None]]:
        """Return what to say: half of it calls, and of the rest each kind as often as any other."""
        ask = self._request
        others: list[Callable[[], None]] = [
            lambda: ask("ping", None),
            lambda: ask("tools/list", {}),
            lambda: ask("prompts/list", {}),
            lambda: ask("prompts/get", {"name": PROMPT, "arguments": {"mark": self._mark()}}),
            lambda: ask("resources/list", {}),
            lambda: ask("resources/templates/list", {}),
            lambda: ask("resources/read", {"uri": FOLDER + self._mark()}),
            lambda: ask("resources/unsubscribe", {"uri": FOLDER + self._mark()}),
            lambda: ask("completion/complete", self._completion()),
            lambda: ask("logging/setLevel", {"level": "info"}),
            lambda: self._notify("notifications/roots/list_changed", None),
        ]
        if self.abilities.asks:
            others.append(lambda: ask("resources/subscribe", {"uri": FOLDER + self._mark()}))
        if self.abilities.cancels:
            others.append(self._cancel)
        if self.abilities.anything:
            params = {"list": [1.0, 1e3, "\u2028"]}
            others.append(lambda: ask("busy/echo", {"mark": self._mark(), **params}))
            others.append(lambda: ask("no/such/method", {"mark": self._mark()}))
        if self.abilities.batches:
            others.append(self._batch)
        self.chance.shuffle(others)
        half = [others[number % len(others)] for number in range(rounds // 2)]
        said = half + [lambda: ask("tools/call", self._call())] * (rounds - len(half))
        self.chance.shuffle(said)
        return said

    def _completion(self) -> dict[str, Any]:
        argument = {"name": "mark", "value": self._mark()}
        return {"ref": {"type": "ref/prompt", "name": PROMPT}, "argument": argument}

    def _cancel(self) -> None:
        """Ask for what takes for ever, and let it be."""
        self._number += 1
        arguments = {"mark": self._mark(), "hold": True}
        params = {"name": TOOL, "arguments": arguments}
        self.driver.send(self._text("tools/call", params, id=self._number))
        self._notify("notifications/cancelled", {"requestId": self._number, "reason": "enough"})

    def _mark(self) -> str:
        self._number += 1
        return f"mark-{self._number:06}"

    def _call(self, size: int = 0) -> dict[str, Any]:
        mark = self._mark()
        arguments: dict[str, Any] = {
            "mark": mark,
            "text": filler(mark + "?", size or self._size()),
            "size": size or self._size(),
            "outcome": self.chance.choice(["result"] * 6 + ["error", "tool_error"]),
        }
        if self.abilities.asks:
            arguments["notes"] = self.chance.choice([0, 0, 0, 1, 3])
            arguments["ask"] = self.chance.choice([None] * 6 + list(QUESTIONS))
        if kind := self.chance.choice([None] * 4 + list(CONTENTS)):
            arguments["content"], arguments["content_size"] = kind, self._content_size()
        if self.secrets:
            arguments["api_key"] = f"{SECRET}-{mark}"
            arguments["text"] += f" token={SECRET}-{mark}"
        params: dict[str, Any] = {"name": TOOL, "arguments": arguments}
        meta: dict[str, Any] = {}
        if self.chance.random() < 0.5:
            trace, span = self.chance.getrandbits(128), self.chance.getrandbits(64)
            meta["traceparent"] = f"00-{trace:032x}-{span:016x}-01"
        if self.abilities.steps and self.chance.random() < 0.3:
            meta["progressToken"] = f"token-{self._number}"
            arguments["steps"] = self.chance.choice([1, 3])
        return params | {"_meta": meta} if meta else params

    def _size(self) -> int:
        """Mostly small, sometimes as large as it may be."""
        if self.chance.random() < 0.02:
            return self.abilities.largest
        size = 10 * 10 ** self.chance.uniform(0, 3)
        return min(int(size), self.abilities.largest)

    def _content_size(self) -> int:
        """Mostly small, now and then that of a screenshot."""
        if self.chance.random() < 0.1:
            return min(_SCREENSHOT, self.abilities.largest)
        return int(300 * 10 ** self.chance.uniform(0, 1.5))

    def _request(self, method: str, params: Any) -> None:
        identifier = self._opened()
        self.driver.send(self._text(method, params, id=identifier))

    def _notify(self, method: str, params: Any) -> None:
        self.driver.send(self._text(method, params))

    def _batch(self) -> None:
        calls = [
            json.loads(self._text("ping", None, id=self._opened()))
            for _ in range(min(2, self.abilities.concurrent))
        ]
        self.driver.send(json.dumps(calls))

    def _text(self, method: str, params: Any, **head: Any) -> str:
        message = {"jsonrpc": "2.0", **head, "method": method}
        if params is not None:
            message["params"] = params
        # The same message can be spelled in many ways, and all of them are valid.
        return json.dumps(
            message,
            ensure_ascii=self.chance.random() < 0.3,
            separators=self.chance.choice([None, (",", ":"), (" , ", " : ")]),
        )

    def _opened(self) -> int | str:
        if not self._room.acquire(timeout=PATIENCE_SECONDS):
            raise TimeoutError(f"never answered: {sorted(self._open)[:5]}")
        self._number += 1
        identifier = self._number if self.chance.random() < 0.7 else f"id-{self._number}"
        with self._quiet:
            self._open[str(identifier)] = self._room
        return identifier

    def _answered(self, identifier: Any) -> None:
        with self._quiet:
            room = self._open.pop(str(identifier), None)
            if room is not None:
                room.release()
            self._quiet.notify_all()
