"""The hook of `websockets`, for its tests."""

from collections.abc import Iterator

import pytest

from relayscope.instrumentation.hooks.websockets.websockets import WebsocketsInstrumentor
from tests.fix_telemetry import Telemetry


@pytest.fixture
def watched(telemetry: Telemetry) -> Iterator[Telemetry]:
    """The hook, in place for the test."""
    instrumentor = WebsocketsInstrumentor()
    instrumentor.instrument(exchange=telemetry.exchange)
    yield telemetry
    instrumentor.uninstrument()
