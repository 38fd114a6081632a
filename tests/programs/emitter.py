"""Emits log records and spans through OpenTelemetry's API, and says what it has emitted.

usage: emitter.py RECORDS [--bytes N] [--pause SECONDS] [--then exit|raise|wait|fork|pool]

Prints the mark of each record once emitting it has returned: what a peer could have seen by then.
Every tenth record is followed by a span with a mark of its own. It knows nothing of relayscope.
"""

import argparse
import multiprocessing
import os
import random
import sys
import time

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber, get_logger

_SPAN_EVERY = 10


def mark() -> str:
    """Return 32 letters: what looks like a card number is redacted."""
    return "".join(random.SystemRandom().choices("abcdef", k=32))


def say(text: str) -> None:
    """Print a line at once, in one write."""
    os.write(sys.stdout.fileno(), text.encode() + b"\n")


def emit(records: int, size: int, pause: float) -> None:
    """Emit records, and say so after each."""
    logger = get_logger("emitter")
    tracer = trace.get_tracer("emitter")
    filler = "x" * size
    for number in range(records):
        name = mark()
        logger.emit(
            LogRecord(
                timestamp=time.time_ns(),
                severity_number=SeverityNumber.INFO,
                body=f"payload of {name} {filler}",
                attributes={"mark": name},
            )
        )
        say(name)
        if number % _SPAN_EVERY == 0:
            name = mark()
            tracer.start_span("work", attributes={"mark": name}).end()
            say(name)
        if pause:
            time.sleep(pause)


def main() -> None:
    """Do as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("records", type=int)
    parser.add_argument("--bytes", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--then", default="exit")
    options = parser.parse_args()
    work = (options.records, options.bytes, options.pause)
    emit(*work)
    match options.then:
        case "raise":
            raise RuntimeError("an unhandled exception")
        case "wait":
            say("waiting")
            time.sleep(600)
        case "fork":
            children = []
            for _ in range(3):
                child = os.fork()
                if child == 0:
                    emit(*work)
                    os._exit(0)
                children.append(child)
            emit(*work)
            for child in children:
                os.waitpid(child, 0)
        case "pool":
            with multiprocessing.get_context("fork").Pool(2) as pool:
                pool.starmap(emit, [work] * 4)


if __name__ == "__main__":
    main()
