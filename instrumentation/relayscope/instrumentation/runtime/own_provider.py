"""The tracer provider of which messages have their spans.

It is the global one, unless something has named another before this distribution could, as
ddtrace does. Then that one stays the host's, and ours is beside it: what ddtrace makes of spans
goes elsewhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.util._once import Once

_beside: trace.TracerProvider | None = None


def tracer_provider() -> trace.TracerProvider:
    """Return it."""
    return trace.get_tracer_provider() if _beside is None else _beside


@contextmanager
def beside_the_hosts() -> Iterator[None]:
    """Let the SDK name a global provider; afterwards the one that was there before is it again."""
    global _beside  # noqa: PLW0603  # there is one in a process, as there is a global one
    # The API lets nobody name a second one; where its private names are gone, there is one.
    earlier = getattr(trace, "_TRACER_PROVIDER", None)
    once = getattr(trace, "_TRACER_PROVIDER_SET_ONCE", None)
    if earlier is None or once is None:
        yield
        return
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = None, Once()  # noqa: SLF001  # as above
    try:
        yield
    finally:
        _beside = trace._TRACER_PROVIDER  # noqa: SLF001  # as above
        trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = earlier, once  # noqa: SLF001  # as above
