"""Emits log records and spans through OpenTelemetry's API, and says what it has emitted.

usage: emitter.py RECORDS [--bytes N] [--image BYTES] [--large-every N] [--pause SECONDS]
                  [--clock-jumps] [--then exit|leave|raise|kill|wait|serve|fork|pool]
                  [--then crowd] [--children N]

Prints the mark of each record once emitting it has returned: what a peer could have seen by then.
Every tenth record is followed by a span with a mark of its own. It knows nothing of relayscope.
"""

import argparse
import base64
import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber, get_logger

_SPAN_EVERY = 10
_LARGE = 5_000_000
_AT_A_TIME = 4
_YEAR = 365 * 24 * 3600


def mark() -> str:
    """Return 32 letters: what looks like a card number is redacted."""
    return "".join(random.SystemRandom().choices("abcdef", k=32))


def say(text: str) -> None:
    """Print a line at once, in one write."""
    os.write(sys.stdout.fileno(), text.encode() + b"\n")


def picture(size: int) -> str:
    """Return what a tool answers with that makes a screenshot of so many bytes."""
    data = base64.b64encode(os.urandom(size)).decode()
    content = [{"type": "image", "mimeType": "image/png", "data": data}]
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"content": content}})


@dataclass(frozen=True)
class Work:
    """Telemetry to emit."""

    records: int
    size: int
    image: int
    large_every: int
    pause: float

    def do(self) -> None:
        """Emit records, and say so after each."""
        logger = get_logger("emitter")
        tracer = trace.get_tracer("emitter")
        for number in range(self.records):
            name = mark()
            is_large = self.large_every and number % self.large_every == 0
            logger.emit(
                LogRecord(
                    timestamp=time.time_ns(),
                    severity_number=SeverityNumber.INFO,
                    body=f"payload of {name} "
                    + (picture(self.image) if self.image else "")
                    + "x" * (_LARGE if is_large else self.size),
                    attributes={"mark": name},
                )
            )
            say(name)
            if number % _SPAN_EVERY == 0:
                name = mark()
                tracer.start_span("work", attributes={"mark": name}).end()
                say(name)
            if self.pause:
                time.sleep(self.pause)


def let_the_clock_jump() -> None:
    """Let this process's wall clock jump by up to a year, to and fro, at each look."""
    now = time.time_ns

    def jumping() -> int:
        return now() + random.randrange(-_YEAR, _YEAR) * 10**9

    time.time_ns = jumping
    time.time = lambda: jumping() / 1e9


def serve() -> None:
    """Serve nothing, with uvicorn: it ends itself by the signal that has told it to end."""
    import uvicorn  # noqa: PLC0415  # it takes a while

    async def application(_: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        say("waiting")
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    uvicorn.run(application, host="127.0.0.1", port=0, log_level="error")


def fork(work: Work) -> None:
    """Work in three children, while this process and another thread of it work too."""
    busy = threading.Thread(target=work.do)
    busy.start()
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            work.do()
            os._exit(0)
        children.append(child)
    work.do()
    busy.join()
    for child in children:
        os.waitpid(child, 0)


def crowd(work: Work, children: int) -> None:
    """Work in many children, a few at a time; each leaves a spool of its own behind."""
    running = 0
    for _ in range(children):
        if os.fork() == 0:
            work.do()
            os._exit(0)
        running += 1
        if running == _AT_A_TIME:
            os.wait()
            running -= 1
    for _ in range(running):
        os.wait()


def main() -> None:
    """Do as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("records", type=int)
    parser.add_argument("--bytes", type=int, default=200)
    parser.add_argument("--image", type=int, default=0)
    parser.add_argument("--large-every", type=int, default=0)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--clock-jumps", action="store_true")
    parser.add_argument("--then", default="exit")
    parser.add_argument("--children", type=int, default=3)
    options = parser.parse_args()
    if options.clock_jumps:
        let_the_clock_jump()
    work = Work(options.records, options.bytes, options.image, options.large_every, options.pause)
    work.do()
    match options.then:
        case "leave":
            os._exit(0)
        case "raise":
            raise RuntimeError("an unhandled exception")
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "wait":
            say("waiting")
            time.sleep(600)
        case "serve":
            serve()
        case "fork":
            fork(work)
        case "crowd":
            crowd(work, options.children)
        case "pool":
            with multiprocessing.get_context("fork").Pool(2) as pool:
                pool.map(Work.do, [work] * 4)


if __name__ == "__main__":
    main()
