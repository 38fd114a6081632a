"""The host's own sampler, asked about the host's spans as it would be without us.

A sampler that follows the parent would keep every span below a message, because that is kept: a
host that keeps one trace of a hundred would send a hundred times as much to where it exports.
"""

from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import SamplingResult
from opentelemetry.trace import INVALID_SPAN

from relayscope.instrumentation.context import current_span
from relayscope.instrumentation.runtime.object_proxy import ObjectProxy


class HostSampler(ObjectProxy):
    """A sampler that does not see the spans of messages."""

    def should_sample(
        self, parent_context: Context | None, *args: Any, **kwargs: Any
    ) -> SamplingResult:
        """Decide on a span; what our span has of the trace's state goes on below it."""
        around, own = current_span.without_ours(parent_context)
        result: SamplingResult = self.__wrapped__.should_sample(around, *args, **kwargs)
        if own is INVALID_SPAN or result.trace_state:
            return result
        state = own.get_span_context().trace_state
        return SamplingResult(result.decision, result.attributes, state)
