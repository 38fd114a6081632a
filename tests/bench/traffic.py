"""Seeded traffic as a relay with six backends makes it, as rows to write.

A trace is one step of a client: a tool call and a look at a list or a resource, each through the
relay to one backend: 10 spans and 20 log records, 18 of them messages. A message is recorded where
it is sent and where it is received, and again on the relay's other side, so that a text comes four
times, with another id and another `_meta`.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from relayscope.conventions.attributes import (
    CHANNEL_ID,
    CHANNEL_SEQUENCE,
    CLIENT_ADDRESS,
    CLIENT_PORT,
    ERROR_TYPE,
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MCP_PROTOCOL_VERSION,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    MESSAGE_SIZE,
    NETWORK_PROTOCOL_NAME,
    NETWORK_TRANSPORT,
    PEER,
    SERVER_ADDRESS,
    SERVER_PORT,
)
from relayscope.conventions.events import EVENT_MESSAGE
from relayscope.storage import Row, rows

if TYPE_CHECKING:
    from uuid import UUID

SPANS: Final = 10
RECORDS: Final = 20

BACKENDS: Final = tuple(f"backend-{number}" for number in range(6))
COMPONENTS: Final = ("client", "relay", *BACKENDS)
TOOLS: Final = 50
COMMON: Final = "because"
"""A word that is in about every other message."""

_SHORTEST: Final = 200
_LONGEST: Final = 20_000
_MEDIAN: Final = 500
_SIGMA: Final = 0.9
"""Of the logarithm of a body's length."""

_REQUEST: Final = 240
_RESULT: Final = 100
"""Size of a request and a result without their text."""

_ERROR: Final = 17
_INFO: Final = 9
_TRACE: Final = 1
_OTHER_METHODS: Final = ("tools/list", "resources/read", "prompts/get")
_SCOPE_ID, _SCOPE = rows.scope("relayscope.instrumentation", "0.1.0", {})
_CONSONANTS: Final = "bcdfghklmnprstvwz"
_VOWELS: Final = "aeiou"
PORTS: Final = dict(zip(COMPONENTS, range(9050, 9058), strict=True))


class Traffic:
    """Rows of traces, the same for the same seed.

    Attributes:
        tools: The names of the tools, by backend.
        resources: Rows of `resource`, by id.
        scopes: Rows of `scope`, by id.
    """

    def __init__(self, seed: int, *, median: int = _MEDIAN) -> None:
        """Choose words and names.

        Args:
            seed: Of everything that follows.
            median: Length of a body.
        """
        names = random.Random(0)
        words = [_word(names) for _ in range(5_000)]
        self.tools = {
            backend: [f"{names.choice(words)}_{names.choice(words)}" for _ in range(TOOLS)][
                index :: len(BACKENDS)
            ]
            for index, backend in enumerate(BACKENDS)
        }
        weights = [1 / (rank + 3) for rank in range(len(words))]
        # As random as text is, and slices of it cost nothing.
        self._text = " ".join(
            names.choices([COMMON, *words], [0.004 * sum(weights), *weights], k=400_000)
        )
        self._random = random.Random(seed)
        self._median = median
        made = {name: rows.resource(_resource(name), "") for name in COMPONENTS}
        self.resources: dict[UUID, Row] = dict(made.values())
        self.scopes: dict[UUID, Row] = {_SCOPE_ID: _SCOPE}
        self._resource_ids = {name: id_.bytes for name, (id_, _) in made.items()}
        self._requests = 0
        self._sequence = 0

    def trace(self, start: int) -> Trace:
        """One step of the client, beginning at a Unix time in nanoseconds."""
        chance = self._random
        trace = Trace(chance.randbytes(16), [], [])
        backend = chance.choice(BACKENDS)
        root = chance.randbytes(8)
        failed = chance.random() < 0.02
        middle = self._call(trace, root, start + 1_000_000, backend, "tools/call", failed=failed)
        end = self._call(trace, root, middle + 2_000_000, backend, chance.choice(_OTHER_METHODS))
        self._span(trace, "client", root, None, start, end, "step", 1, {})
        served: Any = trace.spans[3][5]
        self._span(
            trace, backend, chance.randbytes(8), served, start + 5_000_000, middle, "work", 1, {}
        )
        for at, severity in ((start, _INFO), (middle, _ERROR if failed else _INFO)):
            self._record(trace, backend, served, at, severity, None, self._words(300), {})
        return trace

    def _call(  # noqa: PLR0913 - as many as a record has parts
        self,
        trace: Trace,
        root: bytes,
        start: int,
        backend: str,
        method: str,
        *,
        failed: bool = False,
    ) -> int:
        """A call through the relay; returns when it ended."""
        chance = self._random
        self._requests += 1
        tool = chance.choice(self.tools[backend]) if method == "tools/call" else None
        order = f"ord-{self.identifier()}"
        question = self._words(max(self._length() - _REQUEST, 40))
        answer = self._words(self._length() - _RESULT)
        ids = [chance.randbytes(8) for _ in range(4)]
        ends = ("client", "relay", "relay", backend)
        took = chance.randrange(4_000_000, 60_000_000)
        for index, (component, span_id) in enumerate(zip(ends, ids, strict=True)):
            parent = ids[index - 1] if index else root
            other = ends[index + 1] if index % 2 == 0 else ends[index - 1]
            peer = f"127.0.0.1:{PORTS[other]}"
            number = self._requests + 1_000_000 * (index > 1)
            common: dict[str, Any] = {MCP_METHOD_NAME: method, JSONRPC_REQUEST_ID: str(number)}
            if tool:
                common[GEN_AI_TOOL_NAME] = tool
            begins = start + index * 400_000
            finishes = start + took - index * 400_000
            attributes = common | {
                NETWORK_TRANSPORT: "tcp",
                MCP_PROTOCOL_VERSION: "2025-06-18",
                SERVER_ADDRESS if index % 2 == 0 else CLIENT_ADDRESS: "127.0.0.1",
                SERVER_PORT if index % 2 == 0 else CLIENT_PORT: PORTS[other],
            }
            if failed:
                attributes[ERROR_TYPE] = "tool_error"
            name = f"{method} {tool}" if tool else method
            kind = 3 if index % 2 == 0 else 2
            self._span(trace, component, span_id, parent, begins, finishes, name, kind, attributes)
            carrier = ids[index] if index % 2 == 0 else ids[index - 1]
            request = (
                f'{{"jsonrpc":"2.0","id":{number},"method":"{method}","params":{{"name":"{tool}",'
                f'"arguments":{{"query":"{question}","order":"{order}"}},"_meta":{{"traceparent":'
                f'"00-{trace.trace_id.hex()}-{carrier.hex()}-01"}}}}}}'
            )
            result = (
                f'{{"jsonrpc":"2.0","id":{number},"result":{{"content":[{{"type":"text","text":'
                f'"{answer}"}}],"isError":{"true" if failed else "false"}}}}}'
            )
            sends = index % 2 == 0
            for at, body, kind_of, sent in (
                (begins, request, "request", sends),
                (finishes, result, "result", not sends),
            ):
                self._message(trace, component, span_id, at, body, kind_of, peer, common, sent=sent)
            if tool and index in (2, 3):
                note = (
                    f'{{"jsonrpc":"2.0","method":"notifications/progress",'
                    f'"params":{{"note":"{question}"}}}}'
                )
                of_note = {MCP_METHOD_NAME: "notifications/progress"}
                self._message(
                    trace,
                    component,
                    span_id,
                    begins + took // 2,
                    note,
                    "notification",
                    peer,
                    of_note,
                    sent=index == 3,
                )
        return start + took

    def identifier(self) -> str:
        """Eight letters and digits that come once."""
        return "".join(self._random.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=8))

    def _length(self) -> int:
        length = int(self._median * self._random.lognormvariate(0, _SIGMA))
        return min(max(length, _SHORTEST), _LONGEST)

    def _words(self, length: int) -> str:
        start = self._random.randrange(len(self._text) - length)
        return self._text[start : start + length]

    def _message(  # noqa: PLR0913, PLR0917 - as many as a record has parts
        self,
        trace: Trace,
        component: str,
        span_id: bytes,
        at: int,
        body: str,
        kind: str,
        peer: str,
        common: dict[str, Any],
        *,
        sent: bool,
    ) -> None:
        self._sequence += 1
        attributes = common | {
            MESSAGE_DIRECTION: "sent" if sent else "received",
            MESSAGE_KIND: kind,
            MESSAGE_SIZE: len(body),
            CHANNEL_ID: f"{PORTS[component] * 7919:012x}{peer[-4:]}",
            CHANNEL_SEQUENCE: self._sequence,
            PEER: peer,
            NETWORK_TRANSPORT: "tcp",
            NETWORK_PROTOCOL_NAME: "websocket",
        }
        self._record(trace, component, span_id, at, _TRACE, EVENT_MESSAGE, body, attributes)

    def _record(  # noqa: PLR0913, PLR0917 - as many as a record has parts
        self,
        trace: Trace,
        component: str,
        span_id: bytes,
        at: int,
        severity: int,
        event: str | None,
        body: str,
        attributes: dict[str, Any],
    ) -> None:
        time, nano = rows.time(at)
        trace.logs.append(
            (
                time,
                nano,
                time + 50,
                0,
                trace.trace_id,
                span_id,
                1,
                severity,
                None,
                event,
                body,
                None,
                rows.jsonb(attributes),
                0,
                self._resource_ids[component],
                _SCOPE_ID.bytes,
            )
        )

    def _span(  # noqa: PLR0913, PLR0917 - as many as a record has parts
        self,
        trace: Trace,
        component: str,
        span_id: bytes,
        parent: bytes | None,
        start: int,
        end: int,
        name: str,
        kind: int,
        attributes: dict[str, Any],
    ) -> None:
        failed = ERROR_TYPE in attributes
        trace.spans.append(
            (
                *rows.time(start),
                *rows.time(end),
                trace.trace_id,
                span_id,
                parent,
                None,
                1,
                name,
                kind,
                2 if failed else 0,
                None,
                rows.jsonb(attributes),
                None,
                None,
                0,
                0,
                0,
                self._resource_ids[component],
                _SCOPE_ID.bytes,
            )
        )


class Trace(NamedTuple):
    """The rows of one trace, in no order."""

    trace_id: bytes
    spans: list[Row]
    logs: list[Row]


def _word(chance: random.Random) -> str:
    return "".join(
        chance.choice(_CONSONANTS) + chance.choice(_VOWELS) + chance.choice(("", "n", "s", "r"))
        for _ in range(chance.choice((1, 2, 2, 3, 3, 4)))
    )


def _resource(name: str) -> dict[str, object]:
    return {
        "service.name": name,
        "service.version": "1.0",
        "service.instance.id": f"{name}-1",
        "host.name": "bench",
        "telemetry.sdk.language": "python",
    }
