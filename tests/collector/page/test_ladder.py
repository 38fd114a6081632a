"""The ladder shows each step once, in an order that is true on every lifeline."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from hypothesis import given, settings

from relayscope.collector.page.trace.address import LANES, Address
from relayscope.collector.page.trace.ladder import distance, ladder, parties
from relayscope.collector.page.trace.picture import Picture
from relayscope.collector.page.trace.steps import Note, Signal
from tests.collector.page.traces import concurrent, relayed, traces

if TYPE_CHECKING:
    from relayscope.collector.page.trace.ladder import Ladder
    from relayscope.collector.query.trace_tree import Trace

EVERYTHING = Address(without=())


def drawn(trace: Trace, address: Address = EVERYTHING) -> Ladder:
    """A ladder of a trace."""
    picture = Picture.of(trace, address)
    everybody = parties(picture.exchange, address.order)
    shown = [party for party in everybody if party.key not in address.hide]
    return ladder(picture.steps, shown, picture.scale, apart=distance(address.lanes, len(shown)))


@settings(max_examples=40)
@given(traces())
def test_every_step_has_a_row_within_the_drawing(trace: Trace) -> None:
    """This holds for any trace."""
    picture = Picture.of(trace, EVERYTHING)
    made = drawn(trace)

    assert [row.step for row in made.rows] == picture.steps
    assert all(0 < row.y <= row.to_y < made.height for row in made.rows)
    assert all(0 < row.x < made.width and 0 < row.to_x < made.width for row in made.rows)
    assert all(0 <= bar.y <= bar.y + bar.height <= made.height for bar in made.bars)


@settings(max_examples=40)
@given(traces())
def test_on_each_lifeline_what_is_further_down_was_later(trace: Trace) -> None:
    """An arrow that would say otherwise is not level."""
    ends: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in drawn(trace).rows:
        if isinstance(row.step, Signal):
            ends[row.x].append((row.step.leaves, row.y))
            ends[row.to_x].append((row.step.arrives, row.to_y))
        else:
            ends[row.x].append((row.step.time, row.y))
    for of_lane in ends.values():
        for time, y in of_lane:
            assert not any(other < time and below > y for other, below in of_lane)


def test_request_and_answer_have_one_colour() -> None:
    """Also where many calls are under way at once; calls beside each other have other ones."""
    rows = drawn(concurrent(5)).rows
    colours: defaultdict[str | None, set[int | None]] = defaultdict(set)
    for row in rows:
        colours[row.step.call].add(row.colour)

    assert [len(of_call) for of_call in colours.values()] == [1] * 5
    assert len({row.colour for row in rows}) == 5


def test_a_bar_is_on_the_lifeline_while_its_party_works() -> None:
    """From request to answer; bars of the same time stand beside each other."""
    made = drawn(concurrent(3))
    asked = [row for row in made.rows if isinstance(row.step, Signal) and row.step.is_asking]
    answers = [row for row in made.rows if row not in asked]

    assert [bar.y for bar in made.bars] == [row.to_y for row in asked]
    assert [bar.y + bar.height for bar in made.bars] == [row.y for row in answers]
    assert len({bar.x for bar in made.bars}) == 3


def test_what_stands_out_says_so_in_words() -> None:
    """Unanswered, failed and odd steps have a tone, and a mark beside it."""
    rows = drawn(relayed()).rows
    refused = next(row for row in rows if row.step.label == "connect gates")
    odd = next(row for row in rows if isinstance(row.step, Signal) and row.step.odd)

    assert refused.tone == "unanswered"
    assert "ConnectionRefusedError" in refused.spoken
    assert odd.tone == "error"
    assert "! orphan answer" in odd.spoken


def test_lanes_can_be_ordered_and_hidden() -> None:
    """Messages between a hidden lane and another are counted, not shown."""
    made = drawn(relayed(), Address(without=(), order=("time-server",), hide=("client",)))

    assert made.lanes[0].party.key == "time-server"
    assert "client" not in [lane.party.key for lane in made.lanes]
    assert made.hidden == 2


def test_since_is_the_time_after_the_arrow_before() -> None:
    """Notes between two arrows do not begin it anew."""
    rows = drawn(relayed()).rows
    note = next(place for place, row in enumerate(rows) if isinstance(row.step, Note))

    assert rows[0].since == ""
    assert rows[1].since == "+0.95 ms"
    assert rows[note + 1].since == "+0.50 ms"
    assert rows[note + 1].time == "1.50 ms"


def test_lanes_can_be_widened() -> None:
    """The lanes are as far apart as was chosen; nothing of the drawing is beyond its edge."""
    apart = {}
    for lanes in LANES:
        made = drawn(relayed(), Address(without=(), lanes=lanes))
        apart[lanes] = made.lanes[1].x - made.lanes[0].x
        assert all(lane.x < made.width for lane in made.lanes)

    assert apart["narrow"] < apart["fitting"] < apart["wide"]
