"""The hook of the `mcp` SDK, for its tests."""

from collections.abc import Iterator

import pytest

from relayscope.instrumentation.hooks.mcp.sdk import McpInstrumentor
from tests.fix_telemetry import Telemetry


@pytest.fixture
def watched(telemetry: Telemetry) -> Iterator[Telemetry]:
    """The hook, in place for the test."""
    instrumentor = McpInstrumentor()
    instrumentor.instrument(exchange=telemetry.exchange)
    yield telemetry
    instrumentor.uninstrument()
