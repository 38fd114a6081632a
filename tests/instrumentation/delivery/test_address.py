"""Addresses tell one collector from another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.instrumentation.delivery.address import address

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "127.0.0.1:4317"),
        ({PROTOCOL: "http/protobuf"}, "127.0.0.1:4318"),
        ({BASE: "http://localhost:4317"}, "127.0.0.1:4317"),
        ({BASE: "localhost:4317"}, "127.0.0.1:4317"),
        ({BASE: "https://Collector.Example:4317/"}, "collector.example:4317"),
        ({BASE: "https://collector.example/otlp"}, "collector.example/otlp"),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://a:1/v1/logs", BASE: "http://a:1"}, "a:1"),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://b:1", BASE: "http://a:1"}, "a:1 and b:1"),
        ({BASE: "http://[::1"}, "[::1"),
    ],
)
def test_an_address_is_host_port_and_path(variables: dict[str, str], expected: str) -> None:
    """However the variables spell it."""
    assert address(variables) == expected


@given(user=SECRETS, password=SECRETS, query=SECRETS)
def test_an_address_holds_no_credentials(user: str, password: str, query: str) -> None:
    """Neither user nor password nor query, whatever is in them."""
    found = address({BASE: f"https://{user}:{password}@host:1/path?key={query}"})

    assert user not in found
    assert password not in found
    assert query not in found
