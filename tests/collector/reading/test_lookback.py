"""Windows in which the newest, or the oldest, are looked for if no bound is given."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from relayscope.collector.query.lookback import EARLIEST, LATEST, Edge, Window, back, on

MOMENTS = st.one_of(
    st.datetimes().map(lambda moment: moment.replace(tzinfo=EARLIEST.tzinfo)),
    st.sampled_from((EARLIEST, LATEST)),
)


NOON = datetime(2026, 11, 29, 12, tzinfo=EARLIEST.tzinfo)
# Of what is looked at, the newest thousand rows came within a microsecond, or within days.
LENGTHS = st.integers(0, 11).flatmap(lambda power: st.integers(10**power, 10 ** (power + 1)))
EDGES = st.lists(LENGTHS, min_size=3, max_size=3).map(
    lambda lengths: list(accumulate(lengths, lambda at, us: at + timedelta(0, 0, us), initial=NOON))
)
FOUR = st.one_of(st.lists(MOMENTS, min_size=4, max_size=4).map(sorted), EDGES)


@given(FOUR)
def test_each_look_goes_on_where_the_one_before_ended_until_it_is_at_everything(
    moments: list[datetime],
) -> None:
    """From the newest row back, or from the oldest on: nothing is left out or looked at twice."""
    since, one, other, until = moments
    time = Window(since, until)
    from_newest = list(back(Edge(other, one), time))
    from_oldest = list(on(Edge(one, other), time))
    assert (from_newest[0].until, from_newest[-1].since) == (until, since)
    assert (from_oldest[0].since, from_oldest[-1].until) == (since, until)
    assert all(newer.since == older.until for newer, older in pairwise(from_newest))
    assert all(older.until == newer.since for older, newer in pairwise(from_oldest))
    assert all(look.since < look.until for look in (*from_newest[1:], *from_oldest[1:]))


@given(FOUR)
def test_each_look_is_so_much_longer_that_it_is_worth_it(moments: list[datetime]) -> None:
    """The last, too, costs more than those in vain."""
    since, one, other, until = moments
    time = Window(since, until)
    from_newest = [look.since for look in back(Edge(other, one), time)]
    from_oldest = [look.until for look in on(Edge(one, other), time)]
    assert all(5 * (other - end) <= other - since for end in from_newest[:-1])
    assert all(5 * (end - one) <= until - one for end in from_oldest[:-1])
    for less, more in pairwise(from_newest[:-1]):
        assert 5 * (other - less) <= other - more
    for less, more in pairwise(from_oldest[:-1]):
        assert 5 * (less - one) <= more - one


@given(FOUR)
def test_the_first_look_has_all_of_the_newest_rows(moments: list[datetime]) -> None:
    """As many as are counted, however fast they came."""
    since, one, other, until = moments
    assert next(back(Edge(other, one), Window(since, until))).since <= one
    assert next(on(Edge(one, other), Window(since, until))).until >= min(other, until)


@given(MOMENTS, st.tuples(MOMENTS, MOMENTS).map(sorted))
def test_where_little_is_there_is_one_look(row: datetime, moments: list[datetime]) -> None:
    """From either end."""
    time = Window(*moments)
    for edge in (Edge(None, None), Edge(row, None)):
        assert list(back(edge, time)) == list(on(edge, time)) == [time]
