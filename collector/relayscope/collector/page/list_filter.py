"""The filter of a list, as the address of its page says it.

The filters are those of the command line, by the same names and with the same forms of values, so
that what finds something there finds it here. An address says all of it: a link shows the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import urlencode

import click

from relayscope.collector.page.errors import WrongAsk
from relayscope.collector.page.interval import with_zone
from relayscope.collector.query.filters import FILTERS, bound
from relayscope.collector.query.list_kind import ORDERS
from relayscope.collector.query.trace_id import is_row_number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from relayscope.collector.query.list_kind import ListKind
    from relayscope.collector.query.trace_id import Ids

MOST: Final = 1000
"""Rows of one page at most."""

USUAL: Final = 50
"""Rows of a page, where its address does not say how many."""

_SHOWN: Final = 80
"""Characters of a wrong value that its reader needs to recognize it."""

_LIMIT: Final = click.IntRange(1, MOST)

_MOST_VALUES: Final = 20
_MOST_ATTRIBUTES: Final = 6
"""Each may be stored in two forms, and all of their combinations are looked for."""


class Filter(NamedTuple):
    """One thing that an address says: a filter, or how to list what is found."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ListFilter:
    """The filter, the order and the length of a list.

    Attributes:
        kind: The list.
        given: All that its address says, in the order in which the list has its filters; each value
            is one that its filter can read.
    """

    kind: ListKind
    given: tuple[Filter, ...] = ()

    @classmethod
    def read(cls, kind: ListKind, pairs: Iterable[tuple[str, str]]) -> Self:
        """Read it from the parts of an address; what is empty is not given, as forms send it.

        Raises:
            WrongAsk: A part is none of this list's, or its value cannot be read.
        """
        names = _names(kind)
        found: dict[str, list[str]] = {name: [] for name in names}
        for name, value in pairs:
            if not value:
                continue
            if name not in found:
                raise WrongAsk(f"{_shown(name)}: {kind.name} have {', '.join(names)}")
            written = _written(kind, name, value)
            if written is not None and written not in found[name]:
                found[name].append(written)
        for name, values in found.items():
            if len(values) > _most_values(name):
                raise WrongAsk(f"{name}: it can be given at most {_most_values(name)} time(s)")
        given = cls(kind, tuple(Filter(name, one) for name in names for one in found[name]))
        given.bound()  # what is wrong with values together is said here too
        return given

    @property
    def query(self) -> str:
        """The filter as the query of an address."""
        return urlencode(self.given)

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The parts that narrow the list, without its order and its length."""
        return tuple(one for one in self.given if one.name in self.kind.filters)

    @property
    def flags(self) -> tuple[str, ...]:
        """The names of the list's filters that are given or not."""
        return tuple(name for name in self.kind.filters if _is_flag(name))

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the others, which take a value."""
        return tuple(name for name in self.kind.filters if not _is_flag(name))

    @property
    def sort(self) -> str:
        """The column by which it is sorted."""
        return self.value("sort") or "time"

    @property
    def order(self) -> str:
        """One of `ORDERS`."""
        return self.value("order") or ORDERS[0]

    @property
    def is_ascending(self) -> bool:
        """Tell whether the least come first."""
        return self.order != ORDERS[0]

    def sorted_by(self, column: str) -> Self:
        """Return the filter sorted by a column; in reverse if it is sorted by that already."""
        order = ORDERS[not self.is_ascending] if column == self.sort else ORDERS[0]
        return self.lacking("sort").lacking("order").having("sort", column).having("order", order)

    @property
    def most(self) -> int:
        """Upper bound of its rows."""
        return int(self.value("limit") or USUAL)

    def values(self, name: str) -> tuple[str, ...]:
        """The values that are given for a name."""
        return tuple(one.value for one in self.given if one.name == name)

    def value(self, name: str) -> str:
        """The one value that is given for a name; empty if there is none."""
        return next(iter(self.values(name)), "")

    def having(self, name: str, value: str) -> Self:
        """Return the filter with one more value; it replaces the other if a name takes only one.

        Raises:
            WrongAsk: It is no value of this name, or one too many.
        """
        written = _written(self.kind, name, value)
        others = self if _most_values(name) > 1 else self.lacking(name)
        given = {*others.given, Filter(name, written)} if written else {*others.given}
        if len([one for one in given if one.name == name]) > _most_values(name):
            raise WrongAsk(f"{name}: it can be given at most {_most_values(name)} time(s)")
        places = {one: at for at, one in enumerate(_names(self.kind))}
        order = {one: at for at, one in enumerate(others.given)}
        return replace(
            self,
            given=tuple(sorted(given, key=lambda one: (places[one.name], order.get(one, MOST)))),
        )

    def lacking(self, name: str, value: str | None = None) -> Self:
        """Return the filter without a value of a name, or without any of that name."""
        kept = (one for one in self.given if one.name != name or value not in {None, one.value})
        return replace(self, given=tuple(kept))

    @property
    def times(self) -> tuple[datetime | None, datetime | None]:
        """Since and until, as far as they are given; what is some time ago is so now."""
        since, until = (self._read(name) for name in ("since", "until"))
        return next(iter(since), None), next(iter(until), None)

    @property
    def ends_before_it_begins(self) -> bool:
        """True if nothing can be of its time, because `since` is not before `until`."""
        since, until = self.times
        return since is not None and until is not None and since >= until

    @property
    def traces(self) -> tuple[Ids, ...]:
        """The ids of the traces that are meant."""
        return self._read("trace")

    def bound(self) -> dict[str, object]:
        """The parameters of the list's statement, without its times and traces.

        Raises:
            WrongAsk: A text is none that could be stored.
        """
        given = {}
        for name in self.kind.filters:
            values = self._read(name)
            given[name] = values if _is_multiple(name) else next(iter(values), None)
        for name in ("failed", "odd", "all"):
            given[name] = bool(given.get(name))
        try:
            parameters = bound(given)
        except click.BadParameter as error:
            raise WrongAsk(f"{str(error.param_hint).lstrip('-')}: {error.message}") from None
        order = {"sort": self.sort, "ascending": self.is_ascending}
        return parameters | order | {"trace": None, "most": self.most}

    def _read(self, name: str) -> tuple[Any, ...]:
        return tuple(_value(self.kind, name, value) for value in self.values(name))


def _names(kind: ListKind) -> tuple[str, ...]:
    orders = (("sort",) if kind.sorts else ()) + (("order",) if kind.orders else ())
    return (*kind.filters, *orders, "limit")


def _is_multiple(name: str) -> bool:
    return name in FILTERS and bool(FILTERS[name].get("multiple"))


def _is_flag(name: str) -> bool:
    return name in FILTERS and bool(FILTERS[name].get("is_flag"))


def _most_values(name: str) -> int:
    if name == "attribute":
        return _MOST_ATTRIBUTES
    return _MOST_VALUES if _is_multiple(name) else 1


def _written(kind: ListKind, name: str, value: str) -> str | None:
    """The value as addresses have it; None for what is the same as saying nothing."""
    read = _value(kind, name, value)
    if _is_flag(name):
        return "true" if read else None
    if name == "sort":
        return None if read == "time" else str(read)
    if name == "order":
        return None if read == ORDERS[0] else str(read)
    if name == "limit":
        return None if read == USUAL else str(read)
    if isinstance(read, str):
        return read
    return value.strip() if name in _TRIMMED else value


def _value(kind: ListKind, name: str, value: str) -> Any:
    """Read a value.

    Raises:
        WrongAsk: Nothing.
    """
    if name == "trace" and is_row_number(value):
        raise WrongAsk(f"trace={value}: rows have no numbers here; give the id of the trace")
    read = value.strip() if name in _TRIMMED else value
    try:
        return _type(kind, name).convert(with_zone(read) if name in _TIMES else read, None, None)
    except click.BadParameter as error:
        raise WrongAsk(f"{name}={_shown(value)}: {error.message}") from None


_TIMES: Final = frozenset({"since", "until"})
_TRIMMED: Final = frozenset({"since", "until", "slower_than", "limit"})


def _type(kind: ListKind, name: str) -> click.ParamType[Any]:
    if name == "sort":
        return click.Choice(("time", *kind.sorts))
    if name == "order":
        return click.Choice(kind.orders)
    if name == "limit":
        return _LIMIT
    option = FILTERS[name]
    return click.types.convert_type(bool if _is_flag(name) else option.get("type"))


def _shown(value: str) -> str:
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
