"""The trace context that a message or a request brings along, whichever propagators a host has."""

import os
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.environment_variables import OTEL_PROPAGATORS
from opentelemetry.propagators.textmap import Getter, default_getter
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from relayscope.instrumentation.runtime.propagator_warnings import muted

_W3C: Final = TraceContextTextMapPropagator()


def extracted(
    carrier: Mapping[str, Any], context: Context, getter: Getter[Any] = default_getter
) -> Context:
    """Return a context with what a sender's entries say.

    W3C's are read where the host's propagators read none, as they are written (`fast/carrier.py`).
    """
    with muted:
        found = propagate.extract(carrier, context, getter)
        if "traceparent" not in carrier or get_current_span(found) is not get_current_span(context):
            return found
        return found if OTEL_PROPAGATORS in os.environ else _W3C.extract(carrier, found, getter)
