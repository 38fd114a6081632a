"""Work that is left for the end of this process, by itself or by a signal that it sends to itself.

Python's own exit handlers do not run where a signal ends a process by the system's default. A
server that has drained after SIGTERM, such as uvicorn, often ends so: it takes its handlers away
and sends itself the signal again, for its parent to see.
"""

import atexit
from collections.abc import Callable
from typing import Final

_left: Final[list[Callable[[], None]]] = []


def at_end(do: Callable[[], None]) -> None:
    """Do something when this process ends, before all that was registered earlier."""
    _left.append(do)
    atexit.register(do)


def end_now() -> None:
    """Do it now, because no exit handler is going to run."""
    for do in reversed(_left):
        do()
