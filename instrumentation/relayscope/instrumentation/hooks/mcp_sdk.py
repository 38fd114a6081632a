"""Hook for the `mcp` SDK, whichever of its majors is installed."""

import os
from collections.abc import Collection
from importlib.metadata import version
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks import mcp_v1, mcp_v2
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange


class McpInstrumentor(BaseInstrumentor):
    """Watches every message that the `mcp` SDK sends and receives."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the versions that have what is wrapped."""
        return ("mcp >= 1.10, < 3",)

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        # FastMCP makes spans of its own, and carries context, for what is seen here already.
        os.environ.setdefault("FASTMCP_TELEMETRY_MODE", "off")
        major = int(version("mcp").split(".")[0])
        hook = mcp_v1 if major == 1 else mcp_v2
        self._patches = Patches()
        hook.watch(self._patches, exchange or shared_exchange())

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()
