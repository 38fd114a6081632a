"""Trace ids in the forms people paste."""

from uuid import UUID

import pytest

from relayscope.collector.query.trace_id import parse_trace_id

TRACE_ID = UUID("4bf92f3577b34da6a3ce929d0e0e4736")


@pytest.mark.parametrize(
    "text",
    [
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "4BF92F3577B34DA6A3CE929D0E0E4736",
        " 4bf92f35-77b3-4da6-a3ce-929d0e0e4736\n",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-bring",
        '"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"',
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ],
)
def test_is_read_from_hex_uuid_and_traceparent(text: str) -> None:
    """Any form that people have at hand names the trace."""
    assert parse_trace_id(text) == (TRACE_ID, TRACE_ID)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4bf92",
        "4bf92f3577b34da6a3ce929d0e0e473g",
        "0" * 32,
        "00-00000000000000000000000000000000-00f067aa0ba902b7-03",
        "4bf92f3577b34da6a3ce929d0e0e4736 or 1=1",
    ],
)
def test_says_what_it_expects_of_anything_else(text: str) -> None:
    """Other texts are refused, and the error names the forms that are accepted."""
    with pytest.raises(ValueError, match="a UUID, or a traceparent"):
        parse_trace_id(text)


@pytest.mark.parametrize("text", ["4bf92f", "4BF92F35", "4bf92f35…", "4bf92f35-77b3-4"])
def test_a_beginning_names_all_that_begin_so(text: str) -> None:
    """Six digits and more, as lists show them."""
    found = parse_trace_id(text)
    digits = text.replace("-", "").rstrip("…").lower()
    assert found.first.hex == digits.ljust(32, "0")
    assert found.last.hex == digits.ljust(32, "f")
