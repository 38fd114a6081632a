"""Hook for the `mcp` SDK, whichever of its majors is installed."""

import os
from collections.abc import Collection
from importlib.metadata import version
from typing import Any, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.trace import NoOpTracer, Tracer

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange

from . import sdk_v1, sdk_v2

_FASTMCP_MODE: Final = "FASTMCP_TELEMETRY_MODE"
"""FastMCP makes spans of its own, and carries context, for what is seen here already: a user who
wants them too sets this to `native`."""


class McpInstrumentor(BaseInstrumentor):
    """Watches every message that the `mcp` SDK sends and receives."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the versions that have the names that are wrapped."""
        return ("mcp >= 1.10, < 3",)

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        major = int(version("mcp").split(".")[0])
        hook = sdk_v1 if major == 1 else sdk_v2
        self._patches = Patches()
        if os.environ.setdefault(_FASTMCP_MODE, "off") == "off":
            # FastMCP 3 does not know the variable yet.
            self._patches.wrap("fastmcp.telemetry", "get_tracer", _no_tracer)
        hook.watch(self._patches, exchange or shared_exchange())

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


def _no_tracer(_wrapped: Any, _instance: Any, _args: Any, _kwargs: Any) -> Tracer:
    """Stand in for FastMCP's `get_tracer`: the spans of the streams are current, and stay so."""
    return NoOpTracer()
