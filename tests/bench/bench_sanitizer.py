"""What sanitizing costs: µs of this thread's CPU per record, by kind of record and by step.

    python tests/bench/bench_sanitizer.py

Ratios travel between machines, absolute times do not: the last rows are something to compare with.
"""

import json
import platform
import time
from collections.abc import Callable
from typing import Any, Final

import orjson

from relayscope.sanitizer import Rules, Sanitizer, Value
from relayscope.sanitizer.scanner import Scanner

_ROUNDS: Final = 15
_TIMES: Final = 2000

# The record of the budget: 8 attributes, 2 of them integers, and a JSON-RPC body of 420 bytes.
ATTRIBUTES: Final[dict[str, Value]] = {
    "relayscope.message.direction": "received",
    "relayscope.message.kind": "request",
    "relayscope.message.size": 420,
    "relayscope.channel.id": "a1b2c3d4e5f6",
    "relayscope.channel.sequence": 12345,
    "relayscope.peer": "127.0.0.1:9051",
    "mcp.method.name": "tools/call",
    "jsonrpc.request.id": "7",
}
_ARGUMENTS: Final = {
    "timezone": "Europe/Berlin",
    "format": "iso8601",
    "note": "what time is it in the place where the meeting of the next week will be held, given"
    " the summer time rules",
}
_META: Final = {
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "clientInfo": {"name": "x"},
}


def _request(arguments: dict[str, Any], meta: dict[str, Any]) -> str:
    params = {"name": "get_current_time", "arguments": arguments, "_meta": meta}
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    return json.dumps(message, separators=(",", ":"))


PLAIN: Final = _request(_ARGUMENTS, _META)
BODIES: Final = {
    "no secret": PLAIN,
    "no secret, progressToken": _request(_ARGUMENTS, {"progressToken": 7, **_META}),
    "no secret, JSON in a string": _request({**_ARGUMENTS, "note": json.dumps(_META)}, {}),
    "a sensitive name": _request({**_ARGUMENTS, "api_key": "abc"}, _META),
    "a secret by its looks": PLAIN.replace(
        "iso8601", "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    ),
    "password=... in a string": PLAIN.replace("what time", "password=abc"),
}
STEPS: Final = {
    "none": [],
    "normalize": ["normalize"],
    "keys": ["normalize", "keys", "allow"],
    "patterns": ["normalize", "patterns", "allow"],
    "all": ["normalize", "keys", "patterns", "allow", "truncate"],
}


def main() -> None:
    """Measure, and print the tables."""
    print(f"{platform.machine()}, Python {platform.python_version()}; body {len(PLAIN)} B\n")
    sanitizers = {
        name: Sanitizer.from_rules(Rules.from_mapping({"steps": steps}))
        for name, steps in STEPS.items()
    }
    print("record(attributes, body), µs:\n")
    _row("steps", STEPS)
    for kind, body in BODIES.items():
        costs = (
            _cost(lambda: each.record(ATTRIBUTES, body))  # noqa: B023 - called at once.
            for each in sanitizers.values()
        )
        _row(kind, [f"{cost:.2f}" for cost in costs])
    everything = sanitizers["all"]
    scanner = Scanner(Rules.default())
    parts: dict[str, Callable[[], object]] = {
        "record(attributes, body)": lambda: everything.record(ATTRIBUTES, PLAIN),
        "attributes(attributes)": lambda: everything.attributes(ATTRIBUTES),
        "text(body)": lambda: everything.text(PLAIN),
        "of it the search alone": lambda: scanner.suspects(PLAIN),
        "to compare: json.loads(body)": lambda: json.loads(PLAIN),
        "to compare: orjson.loads(body)": lambda: orjson.loads(PLAIN),
    }
    print("\nno secret, all steps, µs:\n")
    for name, work in parts.items():
        _row(name, [f"{_cost(work):.2f}"])
    print("\nlarge texts with one secret, all steps, µs per kB:\n")
    for kind, text in _large().items():
        cost = _cost(lambda: everything.text(text), times=1)  # noqa: B023 - called at once.
        _row(kind, [f"{cost * 1000 / len(text):.1f}"])


def _large() -> dict[str, str]:
    line = "lorem ipsum dolor sit amet "
    return {
        "no secret": line * 10_000,
        "prose": "password=abc " + line * 10_000,
        "JSON, small strings": json.dumps([{"password": "abc"}, *["abcdefgh"] * 30_000]),
        "JSON, texts": json.dumps([{"password": "abc"}, *[line * 20 + "\n"] * 500]),
    }


def _cost(work: Callable[[], object], times: int = _TIMES) -> float:
    """µs of this thread's CPU for one time, at best of several rounds."""
    work()
    rounds = []
    for _ in range(_ROUNDS):
        start = time.thread_time_ns()
        for _ in range(times):
            work()
        rounds.append(time.thread_time_ns() - start)
    return min(rounds) / times / 1000


def _row(name: str, cells: Any) -> None:
    print(f"{name:32}" + "".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main()
