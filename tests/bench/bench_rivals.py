"""Cost of relayscope for a relay on the `mcp` SDK, beside others that instrument that SDK.

usage: python -m tests.bench.bench_rivals [--calls N] [--turns N]

A client calls a tool through a relay (`tests/programs/sdk_relay.py`, stdio on both sides). Relay
and backend have the same instrumentation, and export to an OTLP receiver. The variants take turns.
Printed for each: the round trip's median and the CPU time of the relay's process for each call, and
what of both is added to that of the relay with nothing, turn by turn (`again` has nothing as well:
what it differs by is chance). Then what was found of one call, which had
a `traceparent`: the relay's spans, how many of the four messages' texts it recorded (whole, as they
crossed the wire; or its argument or result alone), and whether a span that the backend's own code
made is in the caller's trace: time says nothing without what one gets for it.
"""

import argparse
import asyncio
import json
import platform
import secrets
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.rival_host import NOTHING, RIVALS
from tests.fix_delivery import Receiver, receiving
from tests.fix_programs import PROGRAMS, host_environment

AGAIN: Final = "again"
VARIANTS: Final = (NOTHING, AGAIN, "TRACE", "INFO", *RIVALS)
PACKAGES: Final = ("opentelemetry-instrumentation-mcp", "openinference-instrumentation-mcp", "mcp")
_EXPORT_SECONDS: Final = 0.6
"""After which all has been exported: `OTEL_*_SCHEDULE_DELAY` are 0.2 s here."""

_A, _B = 4242, 17
_HANDSHAKE: Final = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


@dataclass
class Relay:
    """A running relay, and what its calls took."""

    process: asyncio.subprocess.Process
    receiver: Receiver
    round_trips: list[int] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Nanoseconds for each call, turn by turn."""

    def cpu_time(self) -> int:
        """The CPU time that its process has used so far, in ns."""
        # The clock of another process, as clock_getcpuclockid(3) makes its number.
        return time.clock_gettime_ns((~self.process.pid << 3) | 2)

    async def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        self.tell(method, params, id=1)
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return answer

    def tell(self, method: str, params: dict[str, Any], **others: Any) -> None:
        """Send a message."""
        assert self.process.stdin is not None
        message = {"jsonrpc": "2.0", "method": method, "params": params, **others}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")

    async def call(self, **others: Any) -> None:
        """Call the tool."""
        arguments = {"a": _A, "b": _B}
        answer = await self.ask("tools/call", {"name": "add", "arguments": arguments, **others})
        assert answer["result"]["content"][0]["text"] == str(_A + _B), answer


@dataclass
class Seen:
    """Telemetry that was exported of one call.

    Attributes:
        spans: Number of spans that the relay made.
        whole: Number of messages that the relay recorded as they were on the wire.
        parts: Number of other texts in which it recorded an argument or the result.
        joined: True if the backend's own span is in the caller's trace; None if there is none.
    """

    spans: int = 0
    whole: int = 0
    parts: int = 0
    joined: bool | None = None


@asynccontextmanager
async def relay(variant: str) -> AsyncIterator[Relay]:
    """Run a relay and its backend, and shake hands."""
    host = [sys.executable, "-m", "tests.bench.rival_host"]
    backend = str(Path(__file__).with_name("rival_backend.py"))
    command = [*host, "relay", variant, str(PROGRAMS / "sdk_relay.py"), "stdio"]
    command += [*host, "backend", variant, backend]
    with receiving(Receiver()) as receiver:
        environment = host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_INSECURE="true",
            OTEL_BSP_SCHEDULE_DELAY="200",
            OTEL_BLRP_SCHEDULE_DELAY="200",
            PYTHONPATH=str(Path.cwd()),
        )
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, env=environment
        )
        running = Relay(process, receiver)
        await running.ask("initialize", _HANDSHAKE)
        running.tell("notifications/initialized", {})
        yield running
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 20)


async def turn(each: Relay, calls: int) -> tuple[list[int], float]:
    """Call, one after the other; return how long each took, and the relay's CPU time for each."""
    before = each.cpu_time()
    took = []
    for _ in range(calls):
        began = time.perf_counter_ns()
        await each.call()
        took.append(time.perf_counter_ns() - began)
    await asyncio.sleep(_EXPORT_SECONDS)
    return took, (each.cpu_time() - before) / calls


async def look(each: Relay) -> Seen:
    """Make one call, with a context, and see what is exported of it."""
    trace_id = secrets.token_hex(16)
    began = len(each.receiver.requests)
    await each.call(_meta={"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"})
    await asyncio.sleep(2 * _EXPORT_SECONDS)
    seen = Seen()
    for service, record in _exported(each.receiver.requests[began:]):
        if service == "relay":
            seen.spans += hasattr(record, "start_time_unix_nano")
            for text in _texts(record):
                if str(_A) in text or str(_A + _B) in text:
                    seen.whole += '"jsonrpc"' in text
                    seen.parts += '"jsonrpc"' not in text
        elif getattr(record, "name", "") == "work":
            seen.joined = record.trace_id.hex() == trace_id
    return seen


def _exported(requests: list[tuple[str, bytes]]) -> Iterator[tuple[str, Any]]:
    """Go through all spans and log records, each with its process's service name."""
    for signal, request in requests:
        is_traces = signal == "traces"
        kind: Any = ExportTraceServiceRequest if is_traces else ExportLogsServiceRequest
        message = kind.FromString(request)
        for resource in message.resource_spans if is_traces else message.resource_logs:
            attributes = {item.key: item.value for item in resource.resource.attributes}
            service = attributes["service.name"].string_value
            for scope in resource.scope_spans if is_traces else resource.scope_logs:
                for record in scope.spans if is_traces else scope.log_records:
                    yield service, record


def _texts(record: Any) -> Iterator[str]:
    yield from (item.value.string_value for item in record.attributes)
    if hasattr(record, "body"):
        yield record.body.string_value


async def measure(calls: int, turns: int) -> dict[str, tuple[Relay, Seen]]:
    """Drive all variants in turns; then look at what each sees."""
    async with AsyncExitStack() as stack:
        relays = {
            name: await stack.enter_async_context(relay(NOTHING if name == AGAIN else name))
            for name in VARIANTS
        }
        for number in range(turns + 1):
            for each in relays.values():
                took, cpu = await turn(each, calls)
                # The first turn warms up.
                if number:
                    each.round_trips += took
                    each.cpu.append(cpu)
        return {name: (each, await look(each)) for name, each in relays.items()}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--turns", type=int, default=12)
    options = parser.parse_args()
    found = asyncio.run(measure(options.calls, options.turns))
    print(
        f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {platform.machine()}, "
        + ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    )
    print(f"{options.turns} turns of {options.calls} calls; microseconds")
    print(
        f"{'relay':<14} {'p50':>7} {'CPU':>7} | {'p50 added':>9} {'CPU added':>9} | {'spans':>5} "
        f"{'texts':>5} {'parts':>5}  backend in the trace"
    )
    plain = found[NOTHING][0]
    plain_p50 = statistics.median(plain.round_trips)
    for name, (each, seen) in found.items():
        p50, cpu = statistics.median(each.round_trips), statistics.median(each.cpu)
        added = statistics.median(
            one - other for one, other in zip(each.cpu, plain.cpu, strict=True)
        )
        joined = {None: "-", True: "yes", False: "no"}[seen.joined]
        print(
            f"{name:<14} {p50 / 1e3:7.0f} {cpu / 1e3:7.0f} | {(p50 - plain_p50) / 1e3:9.0f} "
            f"{added / 1e3:9.0f} | {seen.spans:5} {seen.whole:5} {seen.parts:5}  "
            f"{joined}"
        )


if __name__ == "__main__":
    main()
