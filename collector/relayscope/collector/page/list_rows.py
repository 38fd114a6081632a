"""The rows of a list: the first, in its order, of what fits its filter."""

from __future__ import annotations

from asyncio import timeout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, LiteralString

from relayscope.collector.page.errors import WrongAsk
from relayscope.collector.query.errors import StatementTooSlow
from relayscope.collector.query.list_kind import CALLS, TRACES
from relayscope.collector.query.lookback import (
    EVERYTHING,
    ROWS,
    Edge,
    Window,
    back,
    on,
    up_to,
    whole,
)
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence

    from relayscope.collector.page.list_filter import ListFilter
    from relayscope.collector.page.reader import Reader

    Ask = Callable[[LiteralString, dict[str, object]], Coroutine[Any, Any, Sequence[Any]]]

SECONDS: Final = 10.0
"""Seconds to look for the first rows of a list, while the browser says that it is still looking."""

_ENOUGH_SECONDS: Final = 2.0
"""Seconds to look for more of them: beyond these, what was found is shown, and how far back it was
looked."""

_LEAST_SECONDS: Final = 3.0
"""Seconds for a statement when these are over: to read what was found."""

_CHARACTERS: Final = 4000
"""Of a text, on a page of a list: what people read there, and 50 of them at once."""

_TICK: Final = timedelta(microseconds=1)

_GOES_ON: Final[dict[str, LiteralString]] = {
    "calls": (
        ", length(request) > %(characters)s as request_goes_on"
        ", length(answer) > %(characters)s as answer_goes_on"
    ),
}


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page, and what is beyond them.

    Attributes:
        rows: In the order that was asked for.
        following: The row after those, if there is one.
        looked_to: Time at which the search ended because it took too long; None if it did not.
        window: The stretch of time that was looked at.
        bound: Parameters by which its statement gives these rows.
    """

    rows: Sequence[Any]
    following: Any = None
    looked_to: datetime | None = None
    window: Window = EVERYTHING
    bound: Mapping[str, object] = field(default_factory=dict)


def statement(asked: ListFilter, bound: Mapping[str, object]) -> LiteralString:
    """The statement of a list, with at most so many characters of each of its texts."""
    kind = asked.kind
    name = kind.statement(bound)
    columns: tuple[LiteralString, ...] = tuple(
        f"left({one}, %(characters)s) as {one}" if one in kind.texts else one
        for one in kind.columns
    )
    # Their order is that of the list: nothing is done to rows but leave out.
    return " ".join(
        (
            "select",
            ", ".join(columns),
            _GOES_ON.get(kind.name, ""),
            "\nfrom (",
            query(name),
            ") as l",
        )
    )


async def find(reader: Reader, asked: ListFilter) -> Found:
    """Find the rows of a page."""
    seconds = remaining()

    def ask(statement: LiteralString, bound: dict[str, object]) -> Coroutine[Any, Any, Any]:
        return reader.rows(statement, bound, seconds=seconds())

    bound = await bound_of(reader, asked) | {"characters": _CHARACTERS}
    return await first_rows(ask, asked, bound)


def remaining() -> Callable[[], float]:
    """Return what says, from now on, how many seconds a statement of a list may take."""
    end = monotonic() + SECONDS
    return lambda: max(_LEAST_SECONDS, end - monotonic())


async def bound_of(reader: Reader, asked: ListFilter) -> dict[str, object]:
    """Return the statement's parameters, but for its times.

    Raises:
        WrongAsk: No trace begins with what was given, or several do.
    """
    bound = asked.bound()
    traces = []
    for ids in asked.traces:
        if ids.first == ids.last:
            traces.append(ids.first)
            continue
        found = await reader.rows(query("traces_between"), ids._asdict())
        if len(found) != 1:
            count = "several traces begin" if found else "no trace begins"
            raise WrongAsk(f"trace: {count} with that; give more of its id")
        traces.append(found[0]["trace_id"])
    return bound | {"trace": traces or None}


async def first_rows(ask: Ask, asked: ListFilter, bound: dict[str, object]) -> Found:
    """Look at ever longer stretches of time until there are as many rows as were asked for.

    Args:
        ask: Gives the rows of a statement.
        asked: The list's kind, filters and order.
        bound: The parameters of its statement, but for its times.
    """
    everything = statement(asked, bound)
    # Much of what a row of these says is looked up for each; so first it is found which there are.
    if asked.kind not in {CALLS, TRACES}:
        return await _looked_for(ask, everything, asked, bound)
    found = await _looked_for(ask, _times_only(asked, bound), asked, bound)
    if not found.rows:
        return found
    # Of all rows of these times, in the same order, the first are the same.
    ends = found.rows if found.following is None else (*found.rows, found.following)
    exactly = {"times": sorted({_time_of(row, asked) for row in ends}), "most": len(ends)}
    exact = {**found.bound, **exactly}
    rows = await ask(everything, exact)
    return replace(_page(rows, asked, found.window, exact), looked_to=found.looked_to)


async def _looked_for(
    ask: Ask, statement: LiteralString, asked: ListFilter, bound: dict[str, object]
) -> Found:
    rows: list[Any] = []
    looked: Window | None = None
    end = monotonic() + _ENOUGH_SECONDS
    for window in await _windows(ask, asked):
        within = bound | window._asdict() | {"most": asked.most + 1 - len(rows)}
        try:
            async with timeout(max(0.0, end - monotonic()) if rows else None):
                rows += await ask(statement, within)
        except (StatementTooSlow, TimeoutError):
            if looked is None:
                raise
            # What was found is less than all, and it is said of which time.
            looked_to = looked.until if asked.is_ascending else looked.since
            return replace(_page(rows, asked, looked, bound), looked_to=looked_to)
        looked = window if looked is None else _both(looked, window)
        if len(rows) > asked.most:
            break
    return Found(()) if looked is None else _page(rows, asked, looked, bound)


def _both(one: Window, other: Window) -> Window:
    """The stretch of two windows that are beside each other."""
    return Window(min(one.since, other.since), max(one.until, other.until))


def _page(
    rows: Sequence[Any], asked: ListFilter, window: Window, bound: Mapping[str, object]
) -> Found:
    following = rows[asked.most] if len(rows) > asked.most else None
    bound = {**bound, **window._asdict(), "most": asked.most}
    return Found(rows[: asked.most], following, window=window, bound=bound)


def _times_only(asked: ListFilter, bound: Mapping[str, object]) -> LiteralString:
    """The statement of a list, of whose columns PostgreSQL works out only what is asked about."""
    name = asked.kind.statement(bound)
    return " ".join(("select", asked.kind.time, "from (", query(name), ") as l"))


def _time_of(row: Any, asked: ListFilter) -> datetime:
    return _moment(row[asked.kind.time])


def _moment(time: datetime | str) -> datetime:
    # As JSON has it, or as Python.
    return datetime.fromisoformat(time) if isinstance(time, str) else time


async def _windows(ask: Ask, asked: ListFilter) -> Iterable[Window]:
    """The stretches to look at, one after the other, until one holds enough."""
    time = whole(*asked.times, asked.sort)
    if asked.sort != "time" or asked.traces:
        return [time]  # the greatest may be anywhere, and an index finds traces wherever they are
    if asked.is_ascending:
        return on(await _edge(ask, query(asked.kind.oldest), {"since": time.since}), time)
    return back(await _edge(ask, query(asked.kind.newest), {"until": up_to(time.until)}), time)


async def _edge(ask: Ask, statement: LiteralString, bound: dict[str, object]) -> Edge:
    (found,) = await ask(statement, bound | {"rows": ROWS})
    return Edge(*(one and _moment(one) for one in (found["time"], found["near"])))


def following(asked: ListFilter, found: Found) -> ListFilter | None:
    """Return the next page of a list that is sorted by time; None if there is none.

    Rows of the very time of the next one are shown again rather than left out.
    """
    if asked.sort != "time":
        return None
    try:
        if found.following is not None:
            time = _time_of(found.following, asked).astimezone(UTC)
            end = time if asked.is_ascending else time + _TICK
        elif found.looked_to is not None:
            end = found.looked_to.astimezone(UTC)
        else:
            return None
        return asked.having("since" if asked.is_ascending else "until", end.isoformat())
    except (OverflowError, ValueError):  # a broken clock's time, which no address can have
        return None
