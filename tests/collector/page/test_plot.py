"""The plot of what results cost, by who got them of whom, over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.collector.page.plot import HEIGHT, Series, bars

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
STEP = timedelta(minutes=1)
HOUR = timedelta(hours=1)

SERIES = st.builds(Series, st.sampled_from("abc"), st.sampled_from([f"p{n}" for n in range(9)]))
VALUE = st.tuples(SERIES, st.integers(0, 59).map(lambda n: NOON + n * STEP), st.integers(1, 10**12))
# Rarely are there more series than colours by chance.
VALUES = st.lists(VALUE, min_size=1) | st.lists(VALUE, min_size=12, unique_by=lambda one: one[0])


@given(values=VALUES)
def test_all_that_came_is_in_its_column(values: list[tuple[Series, datetime, int]]) -> None:
    """The parts of a column lie on each other, for any number of series and times."""
    plot = bars(values, NOON, NOON + HOUR, STEP)
    for time in {time for _, time, _ in values}:
        parts = [bar for bar in plot.bars if bar.time == time]
        assert sum(bar.value for bar in parts) == sum(
            value for _, at, value in values if at == time
        )
        floor = float(HEIGHT)
        for bar in parts:
            assert bar.y + bar.height == pytest.approx(floor, abs=0.01)
            floor = bar.y
        assert floor >= -0.01
    assert {bar.series for bar in plot.bars} == set(plot.series)


@given(values=VALUES)
def test_no_more_are_told_apart_than_there_are_colours(
    values: list[tuple[Series, datetime, int]],
) -> None:
    """Those with the most have their names; the others are one, which comes last."""
    plot = bars(values, NOON, NOON + HOUR, STEP)
    known = {series for series, _, _ in values}
    assert len(plot.series) == min(len(known), 12)
    others = Series("", "")
    assert [number for number, one in enumerate(plot.series) if one == others] == (
        [11] if len(known) > 11 else []
    )
