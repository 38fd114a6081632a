"""Colours of components and peers, whoever is there and whoever is seen first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.collector.page.colours import COLOURS, Colours

if TYPE_CHECKING:
    import httpx

NAMES = st.lists(st.text(max_size=6), max_size=3 * COLOURS, unique=True)


@given(NAMES, NAMES, st.text(max_size=6))
def test_components_have_colours_of_their_own(
    names: list[str], peers: list[str], newcomer: str
) -> None:
    """As long as there are enough, whichever peers are seen; also one that is not known yet."""
    colours = Colours()
    colours.reserve(names)
    before = {name: colours.of(name) for name in (*peers, newcomer, *names)}
    if newcomer not in names and newcomer not in peers:
        names = [*names, newcomer]
    colours.reserve(names)
    assert {name: colours.of(name) for name in before} == before
    if len(names) <= COLOURS:
        assert len({colours.of(name) for name in names}) == len(names)


@given(NAMES)
def test_the_same_components_have_the_same_colours_again(names: list[str]) -> None:
    """After a new start, too, whatever is looked at first."""
    one, other = Colours(), Colours()
    one.reserve(names)
    other.reserve(names)
    other.of("127.0.0.1:9051")
    assert [one.of(name) for name in names] == [other.of(name) for name in names]


def test_two_whose_names_meet_are_told_apart() -> None:
    """The relay and the server of the demo did not differ."""
    colours = Colours()
    colours.reserve(["mcp-proxy", "time"])
    assert colours.of("mcp-proxy") != colours.of("time")


def test_strangers_do_not_fill_the_memory() -> None:
    """A peer for each port: what comes after many has the colour that its name says."""
    colours = Colours()
    for number in range(30_000):
        colours.of(f"127.0.0.1:{number}")
    assert len(colours._given) == 10_000  # noqa: SLF001  # nothing else tells
    assert re.fullmatch(r"c\d+", colours.of("another"))


@pytest.mark.parametrize("path", ["/", "/traces", "/calls", "/setup"])
def test_a_component_has_one_colour_on_every_view(client: httpx.Client, path: str) -> None:
    """Whichever is opened first."""
    found = {
        address: dict(re.findall(r'class="(?:narrow )?component (c\d+)"[^>]*>(iccm-relay)<', text))
        for address in (path, "/messages")
        for text in [client.get(address, params={"since": "1h"}).text]
    }
    assert len({*found[path]} | {*found["/messages"]}) == 1, found
