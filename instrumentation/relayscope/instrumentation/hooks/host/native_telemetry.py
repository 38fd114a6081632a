"""FastAPI's own spans of requests, which it makes where a process has a tracer provider.

It has one because of us. A host that has set up none wants no spans of its health checks, and
would get a trace more for each message. Where it names a provider, or has FastAPI set one up, they
are made.
"""

from collections.abc import Callable
from typing import Any, Final

from opentelemetry.trace import NoOpTracer, Tracer, TracerProvider

from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.runtime.shield import shielded

_NO_TRACER: Final = NoOpTracer()


def leave_off(patches: Patches, ours: TracerProvider) -> None:
    """Wrap the method by which FastAPI 0.165 gets the tracer for a request."""

    @shielded
    def is_unasked(config: Any, provider: Any) -> bool:
        return provider is ours and not (config["auto_configure"] or config["tracer_provider"])

    def tracer(get: Callable[..., Tracer], telemetry: Any, args: Any, kwargs: Any) -> Tracer:
        config, provider = getattr(telemetry, "config", None), kwargs.get("provider")
        return _NO_TRACER if is_unasked(config, provider) else get(*args, **kwargs)

    patches.wrap("fastapi.telemetry._asgi", "NativeTelemetry._get_tracer", tracer)
