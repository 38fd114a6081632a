"""The map of who calls whom, for whatever they call."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from relayscope.collector.page.call_map import MOST, Box, Edge, call_map

NAMES = st.sampled_from("abcdefgh")
EDGES = st.lists(
    st.builds(
        Edge,
        caller=NAMES,
        callee=NAMES,
        is_recorded=st.booleans(),
        peers=st.just(()),
        calls=st.integers(0, 10**12),
        failed=st.integers(0, 10),
        p95=st.none(),
    ),
    max_size=2 * MOST,
)


def overlap(one: Box, other: Box) -> bool:
    """Return whether two boxes overlap."""
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@given(EDGES)
def test_everybody_has_a_place_of_his_own(edges: list[Edge]) -> None:
    """Also where they call each other in circles; and all of it is within the drawing."""
    drawn = call_map(edges)

    assert len(drawn.arrows) == min(len(edges), MOST)
    names = [box.name for box in drawn.boxes]
    assert len(set(names)) == len(names)
    assert not any(overlap(one, other) for one, other in combinations(drawn.boxes, 2))
    assert all(box.x > 0 and box.x + box.width < drawn.width for box in drawn.boxes)
    assert all(box.y > 0 and box.y + box.height < drawn.height for box in drawn.boxes)


def test_who_calls_is_left_of_whom_it_calls() -> None:
    """A backend that is called by the relay and by the client is right of both."""
    edges = [
        Edge("client", "relay", True, (), 3, 0, None),
        Edge("relay", "backend", True, (), 2, 0, None),
        Edge("client", "backend", True, (), 1, 0, None),
    ]
    left = {box.name: box.x for box in call_map(edges).boxes}
    assert left["client"] < left["relay"] < left["backend"]
