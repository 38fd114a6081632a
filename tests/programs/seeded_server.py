"""A server that draws the same random numbers whenever it runs, as simulations and tests do.

usage: seeded_server.py [--own-sdk]

It answers one request, and says which number it has drawn; then it forks, and parent and child each
draw once more. With --own-sdk, it has an OpenTelemetry SDK of its own, with which it makes a span.
"""

import json
import os
import random
import sys
from typing import Any


def say(**message: Any) -> None:
    """Send a message."""
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def drawn() -> float:
    """Draw a number."""
    return random.random()  # that it comes again is what it is for


def work() -> None:
    """Make a span of the program's own."""
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # where it is asked for

    TracerProvider().get_tracer("own").start_span("work").end()


def main() -> None:
    """Serve one request."""
    random.seed(1)
    if "--own-sdk" in sys.argv:
        work()
    request = json.loads(sys.stdin.readline())
    say(id=request["id"], result={"drawn": drawn()})
    child = os.fork()
    random.seed(1)
    if child:
        os.waitpid(child, 0)
    say(method="notifications/message", params={"level": "info", "data": drawn()})


if __name__ == "__main__":
    main()
