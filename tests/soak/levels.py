"""The rounds behind `make soak-levels`: change at random what a relay records while it works.

usage: python -m tests.soak.levels [--rounds N]

A relay with two backends answers one call after the other; each round sets or resets a level, for
ever or for some seconds. What was recorded says from when on each change was in force. Prints the
time from the answer to the change until then, what was lost or doubled, and the relay's p99 in the
first half of each round, when the change is fetched and comes into force, beside that in the second
half, when nothing changes. Ends with 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from relayscope.collector.levels.client import Collector
from relayscope.instrumentation import Direction, Level, Levels
from relayscope.instrumentation.remote.rules import RemoteRules
from tests.fix_delivery import SPOOL_DIR, end_forwarders
from tests.fix_programs import Background, eventually, host_environment, instrumented, python
from tests.soak.field import own_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.soak.field import Field

OWN = Levels(Level.INFO)
COMPONENT = "relay"
TOOLS = ("correct_tool", "dewey_search")
CALL_PAUSE_SECONDS = 0.01
ROUND_SECONDS = 5.0
SETTING_BOUND = 3.0
"""Seconds within which a change is in force, at p95."""
END_BOUND = 2.0
"""Seconds by which an end may come late."""

TEXT, NO_TEXT, NOTHING = "text", "no text", "nothing"


@dataclass(frozen=True)
class Call:
    """A call that was answered: when, through which tool, and how it was recorded."""

    begun: float
    ended: float
    tool: int
    recorded: str = ""


@dataclass
class Asked:
    """History of rules: the time of each change, and the rules since then, newest first."""

    history: list[tuple[float, list[dict[str, Any]]]] = field(default_factory=lambda: [(0.0, [])])

    def note(self, rules: list[dict[str, Any]]) -> None:
        """Say that these hold from now on."""
        self.history.append((time.time(), rules))

    def expected(self, at: float, port: int, tool: int) -> str:
        """Return the way in which a call is to be recorded."""
        rules = next(rules for since, rules in reversed(self.history) if since <= at)
        levels = RemoteRules.read({"version": 1, "rules": rules}, 0.0).at(at).over(OWN)
        found = levels.of_message(f"127.0.0.1:{port}", Direction.SENT, "tools/call", TOOLS[tool])
        return TEXT if found <= Level.TRACE else NO_TEXT if found <= Level.DEBUG else NOTHING

    def turns(self) -> list[tuple[float, bool]]:
        """Return the time of each change, and True for a rule that ended by itself."""
        found = [(since, False) for since, _ in self.history[1:]]
        for (_, rules), (until, _) in itertools.pairwise([*self.history, (time.time(), [])]):
            ends = {rule["until"] for rule in rules if "until" in rule}
            found += [(end, True) for end in ends if end < until]
        return sorted(set(found))


class Relay:
    """The relay, and its client."""

    def __init__(self, ground: Field, stack: ExitStack, folder: str) -> None:
        assert ground.collector is not None
        background = Background(stack)
        plain = host_environment()
        self.ports = [
            background.websocket_backend(manners, plain, wrap=[])
            for manners in ("correct", "dewey")
        ]
        environment = host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{ground.grpc}",
            RELAYSCOPE_OPAMP_ENDPOINT=f"http://{ground.http}",
            RELAYSCOPE_LEVEL=OWN.level.name,
        )
        urls = [f"{index}=ws://127.0.0.1:{port}" for index, port in enumerate(self.ports)]
        stack.callback(end_forwarders, Path(folder))
        self._process = stack.enter_context(
            subprocess.Popen(
                instrumented(COMPONENT, python("websocket_relay.py", *urls)),
                env=environment | {SPOOL_DIR: folder},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(self._process.kill)
        self.calls: list[Call] = []
        self.wrong = 0
        self._say("initialize", {})

    def call_for(self, seconds: float) -> list[Call]:
        """Make one call after the other; return them."""
        before, until = len(self.calls), time.time() + seconds
        while time.time() < until:
            tool = len(self.calls) % 2
            mark = f"mark{len(self.calls)}"
            begun = time.time()
            answer = self._say("tools/call", {"name": TOOLS[tool], "arguments": {mark: 1}})
            ended = time.time()
            self.wrong += (
                answer["result"]["content"][0]["text"] != f"{TOOLS[tool]} was given {mark}"
            )
            self.calls.append(Call(begun, ended, tool))
            time.sleep(CALL_PAUSE_SECONDS)
        return self.calls[before:]

    def _say(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"jsonrpc": "2.0", "id": len(self.calls), "method": method, "params": params}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def change(relay: Relay, collector: Collector, asked: Asked, dice: random.Random) -> None:
    """Set a level, or reset them all; what then holds is noted once it was answered."""
    rules = asked.history[-1][1]
    if rules and dice.random() < 0.35:
        collector.reset({"component": COMPONENT})
        asked.note([])
        return
    about = dice.choice(
        [
            {},
            {"peer": f"*:{dice.choice(relay.ports)}"},
            {"tool": dice.choice(TOOLS)},
            {"method": "tools/*", "direction": "sent"},
        ]
    )
    level = dice.choice(["TRACE", "DEBUG", "INFO", "OFF"])
    rule: dict[str, Any] = {"level": level} | {
        "target" if name == "tool" else name: v for name, v in about.items()
    }
    wish: dict[str, Any] = {"component": COMPONENT, "level": level, **about}
    if dice.random() < 0.4:
        wish["seconds"] = seconds = dice.uniform(2.0, 8.0)
        rule["until"] = time.time() + seconds
    collector.set(wish)
    kept = [
        other
        for other in rules
        if not _is_alike(other, rule) or ("until" in rule and "until" not in other)
    ]
    asked.note([rule, *kept])


def _is_alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two rules are about the same messages."""
    own = {"level", "until"}
    return {k: v for k, v in one.items() if k not in own} == {
        k: v for k, v in other.items() if k not in own
    }


def as_recorded(database_url: str, relay: Relay) -> list[Call]:
    """The relay's calls with what was recorded of each on its backend's leg."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select time_unix_nano::float8 / 1e9, peer, body is not null from relayscope.messages"
            " where component = %s and method = 'tools/call' and kind = 'request'"
            " and direction = 'sent' order by 1",
            (COMPONENT,),
        ).fetchall()
    found = []
    for call in relay.calls:
        peer = f"127.0.0.1:{relay.ports[call.tool]}"
        texts = [text for at, by, text in rows if by == peer and call.begun <= at <= call.ended]
        found.append(replace(call, recorded=(TEXT if texts[0] else NO_TEXT) if texts else NOTHING))
    return found


def delays(relay: Relay, asked: Asked, calls: list[Call]) -> Iterator[tuple[bool, float]]:
    """Yield, for each change of what is to be recorded, whether it came by itself and how late."""
    turns = asked.turns()
    for tool, port in enumerate(relay.ports):
        for (at, is_end), (until, _) in itertools.pairwise([*turns, (time.time(), False)]):
            wanted = asked.expected(at + 1e-6, port, tool)
            if wanted == asked.expected(at - 1e-6, port, tool):
                continue
            wrong = [
                call.ended - at
                for call in calls
                if call.tool == tool and at < call.begun < until and call.recorded != wanted
            ]
            yield is_end, max(wrong, default=0.0)


def has_span_since(database_url: str, begun: float) -> bool:
    """Return whether a span of the relay is stored that began at this time or later."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "select exists (select from relayscope.spans where component = %s"
            " and start_time >= to_timestamp(%s))",
            (COMPONENT, begun),
        ).fetchone()
    return bool(row and row[0])


def lost_and_doubled(database_url: str) -> tuple[int, int]:
    """Return the number of the relay's records that are missing, and of those there twice."""
    with psycopg.connect(database_url) as connection:
        lost = connection.execute(
            "select coalesce(sum(missing), 0) from relayscope.delivery where component = %s"
            " and channel is null",
            (COMPONENT,),
        ).fetchone()
        doubled = connection.execute(
            "select count(*) from (select from relayscope.logs where component = %s group by"
            " resource ->> 'service.instance.id', attributes ->> 'relayscope.delivery.sequence'"
            " having count(*) > 1) as twice",
            (COMPONENT,),
        ).fetchone()
    return int(lost[0]) if lost else 0, int(doubled[0]) if doubled else 0


@dataclass
class Result:
    """Result of the rounds; times in seconds, sorted.

    Attributes:
        settled: True if the last calls were recorded as they were to be.
    """

    calls: int
    wrong: int
    lost: int
    doubled: int
    settled: bool
    settings: list[float]
    ends: list[float]
    p99: float
    undisturbed_p99: float

    @property
    def is_whole(self) -> bool:
        """True if nothing was lost, doubled or answered otherwise, and the changes came through."""
        return self.wrong == self.lost == self.doubled == 0 and self.settled

    @property
    def is_good(self) -> bool:
        """True if everything is as promised, and the changes came in time."""
        return (
            self.is_whole
            and quantile(self.settings, 0.95) <= SETTING_BOUND
            and max(self.ends, default=0.0) <= END_BOUND
        )


def quantile(values: list[float], share: float) -> float:
    """The value that so many do not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else 0.0


def play(ground: Field, rounds: int, seed: int) -> Result:
    """Run rounds in a field."""
    dice = random.Random(seed)
    asked = Asked()
    with tempfile.TemporaryDirectory(prefix="soak-spools-") as folder, ground.running():
        ground.start()
        collector = Collector(f"http://{ground.http}", "")
        with ExitStack() as stack:
            relay = Relay(ground, stack, folder)
            eventually(lambda: any(p["level"] for p in collector.list()["processes"]))
            disturbed, undisturbed = [], []
            for _ in range(rounds):
                half = ROUND_SECONDS / 2 * dice.uniform(0.8, 1.2)
                change(relay, collector, asked, dice)
                disturbed += relay.call_for(half)
                undisturbed += relay.call_for(half)
            collector.reset({"component": COMPONENT})
            asked.note([])
            relay.call_for(ROUND_SECONDS)
            # The spans come behind the messages.
            eventually(lambda: has_span_since(ground.database_url, relay.calls[-1].begun))
        eventually(lambda: lost_and_doubled(ground.database_url)[0] == 0)
        calls = as_recorded(ground.database_url, relay)
        late = list(delays(relay, asked, calls))
        lost, doubled = lost_and_doubled(ground.database_url)
    return Result(
        len(calls),
        relay.wrong,
        lost,
        doubled,
        {call.recorded for call in calls[-20:]} == {NOTHING},
        sorted(delay for is_end, delay in late if not is_end),
        sorted(delay for is_end, delay in late if is_end),
        quantile([call.ended - call.begun for call in disturbed], 0.99),
        quantile([call.ended - call.begun for call in undisturbed], 0.99),
    )


def main() -> None:
    """Run as many rounds as asked, and print what they came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with own_field() as ground:
        result = play(ground, options.rounds, options.seed)
    for what, found in (("set", result.settings), ("ended", result.ends)):
        print(
            f"{what}: {len(found)} changes in force after {quantile(found, 0.5):.2f} s (p50), "
            f"{quantile(found, 0.95):.2f} s (p95), {max(found, default=0.0):.2f} s (longest)"
        )
    print(
        f"{result.calls} calls, {result.wrong} answers wrong, {result.lost} records lost, "
        f"{result.doubled} doubled; p99 {result.p99 * 1e3:.2f} ms, "
        f"{result.p99 / result.undisturbed_p99:.2f} times that while nothing changes"
    )
    sys.exit(0 if result.is_good else 1)


if __name__ == "__main__":
    main()
