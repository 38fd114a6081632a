"""A span that costs little: what the SDK's own does, for spans whose attributes are known to fit.

Starting and ending a span of the SDK took 57 us here, most of it for checking, locking and copying
attributes that this package has made itself; these take 15 us. The SDK's processors get them as
they get its own. Where the user has set up something that these know nothing of (another sampler,
limits, another SDK, a release in which a private name is gone), the SDK's spans are made.
"""

import os
import traceback
from collections.abc import Mapping, Sequence
from time import time_ns
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace import Tracer as SdkTracer
from opentelemetry.sdk.trace.sampling import DEFAULT_ON
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    get_current_span,
)

from relayscope.sanitizer import Value

from .id_generator import give_ids
from .self_check import holds

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_SAMPLED_AND_RANDOM: Final = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)
_UNSET: Final = Status(StatusCode.UNSET)

_MOST_EVENTS: Final = 128
_MOST_ATTRIBUTES: Final = 128
"""The SDK's own limits; a host can add what it likes to the span that is current."""


class MessageSpan(ReadableSpan, Span):
    """A recording span, which becomes read-only when it ends."""

    def __init__(  # noqa: PLR0913, PLR0917  # what a span is made of
        self,
        tracer: SdkTracer,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: dict[str, Value],
        links: Sequence[Link],
        start_time: int,
    ) -> None:
        self._tracer = tracer
        self.span_context = context
        self._own_attributes: dict[str, Any] = attributes
        super().__init__(
            name=name,
            context=context,
            parent=parent,
            resource=tracer.resource,
            attributes=self._own_attributes,
            links=links,
            kind=kind,
            instrumentation_info=tracer.instrumentation_info,
            status=_UNSET,
            start_time=start_time,
            instrumentation_scope=tracer._instrumentation_scope,  # noqa: SLF001  # it has no other
        )

    def get_span_context(self) -> SpanContext:
        """Return the span's own context."""
        return self.span_context

    def is_recording(self) -> bool:
        """Return whether it has not ended."""
        return self._end_time is None

    def set_attribute(self, key: str, value: Any) -> None:
        """Set one attribute."""
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes."""
        if self._end_time is None and len(self._own_attributes) < _MOST_ATTRIBUTES:
            self._own_attributes.update(attributes)

    def add_event(
        self,
        name: str,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
    ) -> None:
        """Add an event."""
        if self._end_time is None and len(self._events) < _MOST_EVENTS:
            self._events = (*self._events, Event(name, attributes, timestamp or time_ns()))

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Add a link."""
        if self._end_time is None and len(self._links) < _MOST_EVENTS:
            self._links = (*self._links, Link(context, attributes))

    def update_name(self, name: str) -> None:
        """Change the name."""
        if self._end_time is None:
            self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status; OK is final, as the API says."""
        if self._end_time is not None or self._status.status_code is StatusCode.OK:
            return
        self._status = status if isinstance(status, Status) else Status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002  # the API's own signature
    ) -> None:
        """Add an exception as an event, with the conventions' names."""
        self.add_event(
            "exception",
            {
                "exception.type": type(exception).__qualname__,
                "exception.message": str(exception),
                "exception.stacktrace": "".join(traceback.format_exception(exception)),
                "exception.escaped": str(escaped),
                **(attributes or {}),
            },
            timestamp,
        )

    def end(self, end_time: int | None = None) -> None:
        """End it, once, and give it to the processors."""
        if self._end_time is None:
            self._end_time = time_ns() if end_time is None else end_time
            self._tracer.span_processor.on_end(self)


class SpanMaker:
    """Starts spans: cheap ones, where that makes no difference."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._sdk = None
        if isinstance(tracer, SdkTracer):
            # The provider may be of another distribution's making, or of the host's.
            give_ids(tracer)
            if not has_limits() and holds(lambda: _reads_as_written(tracer), "spans"):
                self._sdk = tracer

    def start_span(  # noqa: PLR0913, PLR0917  # what a span is made of
        self,
        name: str,
        parent: Context,
        kind: SpanKind,
        attributes: dict[str, Value],
        links: Sequence[Link],
        start_time: int,
    ) -> Span:
        """Start a span; the attributes become its own."""
        sdk = self._sdk
        # An empty context has no span: most messages begin a trace, or come with their own.
        above = get_current_span(parent).get_span_context() if parent else INVALID_SPAN_CONTEXT
        # Each of its properties is a call.
        trace_id, _, _, flags, trace_state, has_parent = above
        # Anything but the default, which keeps what has no parent and what its parent keeps.
        if (
            sdk is None
            or sdk.sampler is not DEFAULT_ON
            or (has_parent and not flags.sampled)
            or not sdk._is_enabled()  # noqa: SLF001  # there is no other way to know
        ):
            return self._tracer.start_span(
                name, parent, kind, attributes, links=links, start_time=start_time
            )
        ids = sdk.id_generator
        if has_parent:
            is_random = flags.random_trace_id
        else:
            trace_id, is_random = ids.generate_trace_id(), ids.is_trace_id_random()
        context = SpanContext(
            trace_id,
            ids.generate_span_id(),
            is_remote=False,
            trace_flags=_SAMPLED_AND_RANDOM if is_random else _SAMPLED,
            trace_state=trace_state,
        )
        span = MessageSpan(
            sdk,
            name,
            context,
            above if has_parent else None,
            kind,
            attributes,
            links,
            start_time,
        )
        sdk.span_processor.on_start(span, parent)  # type: ignore[arg-type]  # it does all that one does
        return span


def _reads_as_written(tracer: SdkTracer) -> bool:
    """Return whether a span's public names give what is written to its private ones."""
    context = SpanContext(1, 1, is_remote=False, trace_flags=_SAMPLED)
    attributes: dict[str, Value] = {"key": "value"}
    span = MessageSpan(tracer, "", context, context, SpanKind.CLIENT, attributes, (), 1)
    was_recording = span.is_recording()
    span.update_name("name")
    span.set_attribute("other", 1)
    span.set_status(StatusCode.ERROR, "description")
    span.add_event("event", timestamp=2)
    span.add_link(context)
    span._end_time = 3  # noqa: SLF001  # `end` would give it to the processors
    scope = span.instrumentation_scope
    return (
        was_recording
        and not span.is_recording()
        and (span.name, span.kind, span.start_time, span.end_time)
        == ("name", SpanKind.CLIENT, 1, 3)
        and dict(span.attributes or {}) == {"key": "value", "other": 1}
        and (span.status.status_code, span.status.description) == (StatusCode.ERROR, "description")
        and [event.name for event in span.events] == ["event"]
        and [link.context for link in span.links] == [context]
        and (span.context, span.parent, span.resource) == (context, context, tracer.resource)
        and isinstance(scope, InstrumentationScope)
        and tracer._is_enabled() in {True, False}  # noqa: SLF001  # see `start_span`
        and callable(tracer.span_processor.on_start)
        and callable(tracer.span_processor.on_end)
        and tracer.id_generator.generate_span_id() > 0
        and tracer.sampler is not None
    )


def has_limits() -> bool:
    """Return whether the user has set limits, which the SDK's own spans and records keep."""
    return any(
        name.startswith(("OTEL_SPAN_", "OTEL_ATTRIBUTE_", "OTEL_LOGRECORD_"))
        and name.endswith("_LIMIT")
        for name in os.environ
    )
