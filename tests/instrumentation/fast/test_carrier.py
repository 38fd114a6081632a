"""Promises about what is carried to the receiver of a message."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import baggage, context, propagate
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.environment_variables import OTEL_PROPAGATORS
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from relayscope.instrumentation.fast.carrier import Carriers

TRACE, SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0x00AD6B7169203331


class Loud(TraceContextTextMapPropagator):
    """A propagator of the host's own, which looks like OpenTelemetry's."""

    def inject(self, carrier: Any, context: Context | None = None, setter: Any = None) -> None:  # noqa: ARG002  # the API's own signature
        """Say something else."""
        carrier["traceparent"] = "loud"


@pytest.fixture
def configured() -> Iterator[None]:
    """Leave the propagators as they were."""
    before = propagate.get_global_textmap()
    yield
    propagate.set_global_textmap(before)


@pytest.mark.parametrize(
    "propagator",
    [
        CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()]),
        CompositePropagator([W3CBaggagePropagator()]),
        CompositePropagator([Loud(), W3CBaggagePropagator()]),
        CompositePropagator([]),
        Loud(),
    ],
    ids=["usual", "baggage", "own", "none", "alone"],
)
@pytest.mark.parametrize("flags", [0, 1, 3])
@pytest.mark.parametrize("state", [TraceState(), TraceState([("vendor", "1")])], ids=["", "state"])
@pytest.mark.parametrize("entries", [{}, {"tenant": "a b"}], ids=["", "entries"])
@pytest.mark.parametrize("chosen", ["some", ""], ids=["by the user", "by the host"])
@pytest.mark.usefixtures("configured")
def test_a_carrier_has_what_the_configured_propagators_would_write(  # noqa: PLR0913, PLR0917  # all that tells
    propagator: TextMapPropagator,
    flags: int,
    state: TraceState,
    entries: dict[str, str],
    chosen: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is left out, and W3C's is added unless the user has said which ones to use."""
    monkeypatch.delenv(OTEL_PROPAGATORS, raising=False)
    if chosen:
        monkeypatch.setenv(OTEL_PROPAGATORS, chosen)
    carriers = Carriers()
    span = NonRecordingSpan(
        SpanContext(TRACE, SPAN, is_remote=False, trace_flags=TraceFlags(flags), trace_state=state)
    )
    # Propagators may be set at any time, also when others have been used.
    carriers.of(span)
    propagate.set_global_textmap(propagator)
    here = context.get_current()
    for name, value in entries.items():
        here = baggage.set_baggage(name, value, here)
    token = context.attach(here)
    try:
        expected: dict[str, str] = {}
        propagator.inject(expected, context=set_span_in_context(span))
        if "traceparent" not in expected and not chosen:
            TraceContextTextMapPropagator().inject(expected, context=set_span_in_context(span))

        assert carriers.of(span) == expected
    finally:
        context.detach(token)
