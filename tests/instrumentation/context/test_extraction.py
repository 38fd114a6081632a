"""Promises about the context that a message brings along."""

from collections.abc import Iterator

import pytest
from opentelemetry import propagate
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.environment_variables import OTEL_PROPAGATORS
from opentelemetry.trace import get_current_span

from relayscope.instrumentation.context.extraction import extracted

TRACE = "0af7651916cd43dd8448eb211c80319c"
CARRIER = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}


@pytest.fixture
def of_the_host() -> Iterator[None]:
    """A host that has set a propagator of its own, which knows nothing of W3C's context."""
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(W3CBaggagePropagator())
    yield
    propagate.set_global_textmap(before)


def trace_of(carrier: dict[str, str]) -> str:
    """Return the trace that a carrier leads to."""
    context = extracted(carrier, Context())
    return f"{get_current_span(context).get_span_context().trace_id:032x}"


@pytest.mark.usefixtures("of_the_host")
def test_w3c_is_read_whatever_propagator_the_host_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """MCP has it in each message; but who names the propagators means these and no others."""
    monkeypatch.delenv(OTEL_PROPAGATORS, raising=False)
    assert trace_of(CARRIER) == TRACE
    assert trace_of({"traceparent": "nonsense"}) == trace_of({}) == "0" * 32

    monkeypatch.setenv(OTEL_PROPAGATORS, "baggage")
    assert trace_of(CARRIER) == "0" * 32
