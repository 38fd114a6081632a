"""Hook for the OpenTelemetry SDK that a host sets up for itself, beside the one that is there.

Its spans are parents of messages, and messages are parents of its spans: so they are recorded too.
A host that names providers of its own as the global ones gets them: it exports what it would export
without relayscope, to where it would.
"""

from collections.abc import Callable, Collection
from importlib import import_module
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, Tracer, TracerProvider
from opentelemetry.util._once import Once

from relayscope.conventions.attributes import SCOPE
from relayscope.instrumentation.fast.id_generator import give_ids
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.runtime.own_provider import tracer_provider
from relayscope.instrumentation.runtime.shield import shielded

from . import native_telemetry
from .sampling import HostSampler

_GLOBALS: Final = (
    ("opentelemetry.trace", "opentelemetry.trace", "tracer_provider"),
    ("opentelemetry._logs", "opentelemetry._logs._internal", "logger_provider"),
    ("opentelemetry.metrics", "opentelemetry.metrics._internal", "meter_provider"),
)
"""Modules with the function that sets a global provider, and the modules that keep the provider."""


class HostSdkInstrumentor(BaseInstrumentor):
    """Records the spans of providers that the host makes, and lets it name them as global."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: the SDK is what this package is made with."""
        return ()

    def _instrument(self, **_: Any) -> None:
        self._patches = Patches()
        # Of another distribution's making, where that has started us.
        provider = tracer_provider()
        if isinstance(provider, TracerProvider):
            give_ids(provider)
        tracer = provider.get_tracer(SCOPE)
        # Without the SDK's there is nobody to record anything.
        if isinstance(tracer, Tracer):
            processor = _HostSpanProcessor(tracer)
            self._patches.wrap(
                "opentelemetry.sdk.trace", "TracerProvider.__init__", _joining(processor)
            )
            # What was named before ours could be is not ours to give way.
            is_ours = provider is trace.get_tracer_provider()
            if is_ours:
                native_telemetry.leave_off(self._patches, provider)
            for module, keeper, name in _GLOBALS if is_ours else _GLOBALS[1:]:
                self._patches.wrap(module, f"set_{name}", _giving_way(keeper, name))

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _HostSpanProcessor(SpanProcessor):
    """Hands the spans of another provider to the processors that there were at the start.

    They get this process's resource: it is by that that a process and its numbers are known. Its
    `shutdown` does nothing: a host is done with a provider earlier than with its process.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._resource = tracer.resource
        own = tracer.span_processor
        # A host may add processors of its own to the provider that is there.
        self._processors: tuple[SpanProcessor, ...] = getattr(own, "_span_processors", (own,))

    @shielded
    def on_end(self, span: ReadableSpan) -> None:
        """Hand the span on."""
        own = ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=self._resource,
            attributes=span.attributes,
            events=span.events,
            links=span.links,
            kind=span.kind,
            status=span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
        for processor in self._processors:
            processor.on_end(own)


def _joining(processor: SpanProcessor) -> Callable[..., None]:
    def init(make: Callable[..., None], provider: Any, args: Any, kwargs: Any) -> None:
        make(*args, **kwargs)
        _record(provider, processor)

    return init


@shielded
def _record(provider: TracerProvider, processor: SpanProcessor) -> None:
    give_ids(provider)
    provider.sampler = HostSampler(provider.sampler)  # type: ignore[assignment]  # a proxy
    provider.add_span_processor(processor)


def _giving_way(keeper: str, name: str) -> Callable[..., None]:
    """Return what lets the first provider that a host names take the place of ours.

    The API says that it can be set once, and this distribution has done so before the host began.
    """
    module = import_module(keeper)
    place = f"_{name.upper()}"
    ours = getattr(module, place)

    @shielded
    def make_room() -> None:
        if ours is not None and getattr(module, place) is ours:
            setattr(module, place, None)
            setattr(module, f"{place}_SET_ONCE", Once())

    def set_provider(name_it: Callable[..., None], _: Any, args: Any, kwargs: Any) -> None:
        make_room()
        name_it(*args, **kwargs)

    return set_provider
