"""Problems in what was said, the worst first: for the page and for `relayscope problems`.

Each statement in problems.sql, failed_calls.sql, missing_records.sql, relay_changes.sql,
unread_lists.sql and result_schemas.sql finds groups of like occasions; a function here says in
words what such a group is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from relayscope.collector.query import failed_calls
from relayscope.collector.query.answer_below import answer_text
from relayscope.collector.query.channel_closing import closing_text
from relayscope.collector.query.drop_reasons import why_dropped
from relayscope.collector.query.named_query import rows
from relayscope.collector.query.odd_words import IN_PLACE, ODD
from relayscope.collector.query.relay_change import change_text, passed_on_text
from relayscope.collector.query.result_schema import unlike_text
from relayscope.collector.query.unlisted_tool import listed_text, unlisted_text
from relayscope.collector.query.unread_call import unread_call_text
from relayscope.collector.query.unread_list import unread_text
from relayscope.collector.query.unreadable import unreadable_text
from relayscope.collector.text.quantities import duration_text
from relayscope.conventions.attributes import (
    ERROR_ANSWERED_ABOVE,
    ERROR_CANCELLED,
    ERROR_OTHER_CONTENT,
    ERROR_STOPPED_READING,
    ERROR_TIMEOUT,
    ERROR_UNANSWERED,
)
from relayscope.conventions.odd_traffic import OddTraffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime, timedelta
    from typing import LiteralString
    from uuid import UUID

    import psycopg

    Row = dict[str, Any]

MOST: Final = 50
"""Groups of each kind."""

SEVERITY: Final = {
    "connection": "no connection",
    "unanswered": "not answered",
    "failed": "failed",
    "unsent": "not sent",
    "odd": "odd",
    "undelivered": "records missing",
    "unrecorded": "not recorded",
    "unread": "not read on",
    "repeated": "repeated",
    "slow": "slow",
    "silent": "silent",
    "cancelled": "cancelled",
    "changed": "changed",
}
"""The kinds, the most severe first, and what they are called."""

STATES: Final = ("undelivered", "silent")
"""Those that are no occasions, but how somebody is."""

_KINDS: Final = {"result": "an answer", "error": "an error", "notification": "a notification"}
"""Of messages that are not sent."""

_NO_ANSWER: Final = {
    ERROR_CANCELLED: "it was cancelled",
    ERROR_TIMEOUT: "nobody waits after an hour",
    ERROR_STOPPED_READING: "the wait for it was given up",
    ERROR_ANSWERED_ABOVE: "the request it was made for was answered without it",
    ERROR_UNANSWERED: "the connection closed without one",
    ERROR_OTHER_CONTENT: "the response was no message",
}

_GIVEN_UP: Final = (ERROR_STOPPED_READING, ERROR_ANSWERED_ABOVE)
"""Why there is no answer where somebody has waited and does not any more."""

_NOT_STARTED: Final = {
    "FileNotFoundError": "No such file or directory",
    "PermissionError": "Permission denied",
}
"""Of children, in the words of the system."""

_NOTHING_SENT: Final = "it came, and nothing was sent back"


@dataclass(frozen=True, slots=True)
class Problem:
    """Occasions that look alike.

    Attributes:
        kind: One of `SEVERITY`.
        component: The component that recorded it.
        what: The fault, in words that go on from the component's name.
        occasions: Number of occasions; 0 if it is a state.
        first_time: Time of the first occasion, in the time that was looked at.
        last_time: Time of the last occasion.
        evidence: Text of the newest occasion; empty if there is none.
        note: What else is known of the newest occasion, in our words; empty if nothing is.
        trace_id: The trace of the newest occasion, if it has one.
        span_id: The call in it.
        message_id: The message, where it is about one.
        in_list: The list that has all of them, `calls`, `messages` or `logs`; empty if none has.
        listed: The filter of that list, by the names of its options.
        odd: The mark of the messages that are odd and told by it; empty if there is none.
    """

    kind: str
    component: str
    what: str
    occasions: int
    first_time: datetime
    last_time: datetime
    evidence: str = ""
    note: str = ""
    trace_id: UUID | None = None
    span_id: str | None = None
    message_id: str | None = None
    in_list: str = ""
    listed: dict[str, str] = field(default_factory=dict)
    odd: str = ""

    @property
    def about(self) -> tuple[str, str | None, str | None]:
        """Return what tells whether two are about the same."""
        return (self.component, self.listed.get("tool"), self.listed.get("method"))


def ranked(problems: Iterable[Problem]) -> list[Problem]:
    """Put the most severe first, and of these the most frequent.

    A message that is odd because nobody had answered is said with the call that has no answer.
    """
    found = list(problems)
    unanswered = [one for one in found if one.kind in ("unanswered", "cancelled") and one.odd]
    order = list(SEVERITY)
    return sorted(
        (
            one
            for one in found
            if one.kind != "odd" or not any(_tells(problem, one) for problem in unanswered)
        ),
        key=lambda one: (order.index(one.kind), -one.occasions, one.component, one.what),
    )


def _tells(unanswered: Problem, odd: Problem) -> bool:
    """Return whether a call without an answer is told with the messages that are odd."""
    if (unanswered.component, unanswered.odd) != (odd.component, odd.odd):
        return False
    is_all_of_it = odd.occasions <= unanswered.occasions and odd.span_id == unanswered.span_id
    return is_all_of_it or odd.about == unanswered.about


def _failed_call(row: Row) -> Problem:
    asked = _asked(row)
    peer = _peer(row)
    late = IN_PLACE.get(row["odd"] or "")
    is_cancelled = row["error_type"] == ERROR_CANCELLED
    if row["is_lost"] and not is_cancelled:
        what = f"has no record of what came of {asked}: its process had to drop records"
        return _problem(row, "unrecorded", what, "calls", ("side", "peer", "method", "tool"))
    if row["outcome"] == "unanswered":
        said = _NO_ANSWER.get(row["error_type"] or "", "it is open")
        if row["error_type"] in _GIVEN_UP and row["waited"] is not None:
            said = f"{said} after {_length(row['waited'])}"
            if row["odd"] == OddTraffic.LATE_ANSWER:
                late = f"{late}: {said}"
        served = _NO_ANSWER[ERROR_CANCELLED] if is_cancelled else _NOTHING_SENT
        what = (
            f"did not answer {asked}: {late or served}"
            if row["side"] == "server"
            else f"got no answer from {peer} for {asked}: {late or said}"
        )
    elif row["outcome"] == "transport_error":
        to = "" if row["side"] == "server" else f" to {peer}"
        what = f"could not send {asked}{to}: {row['error_type']}"
    elif row["side"] == "server":
        what = f"answered {asked} with {_error(row)}"
    else:
        what = f"got {_error(row)} from {peer} for {asked}"
    kind = "unanswered" if row["outcome"] == "unanswered" else "failed"
    if is_cancelled:
        kind = "cancelled"
    problem = _problem(row, kind, what, "calls", ("side", "peer", "method", "tool", "outcome"))
    asked_one = problem.component if row["side"] == "server" else peer
    note = (
        unlisted_text(asked_one, row)
        or closing_text(row.get("closing"))
        or unread_call_text(row)
        or answer_text(row)
        or listed_text(asked_one, row)
        or (unreadable_text(problem.evidence) if row["odd"] == OddTraffic.UNPARSABLE else "")
    )
    return replace(problem, note=note, odd=row["odd"] if late else "")


def _peer(row: Row) -> str:
    """The component at the other end where that is known; else its address."""
    return row.get("callee") or row["peer"] or "its peer"


def _asked(row: Row) -> str:
    # The names of tools are words: "did not answer never".
    return f"tool {row['tool']}" if row["tool"] else row["method"] or "a request"


def _error(row: Row) -> str:
    if row["outcome"] == "tool_error":
        return "an error of the tool"
    return f"the error {row['error_code'] or row['error_type'] or ''}".rstrip()


def _failed_connection(row: Row) -> Problem:
    peer, error = row["peer"] or "its peer", row["error_type"]
    what = (
        f"could not start {peer}: {_NOT_STARTED.get(error, error)}"
        if row["is_child"]
        else f"could not connect to {peer}: {error}"
    )
    return _problem(row, "connection", what)


def _odd_message(row: Row) -> Problem:
    about = f" ({row['tool'] or row['method']})" if row["tool"] or row["method"] else ""
    said = ODD.get(row["odd"], row["odd"])
    sender = (
        f"has a peer, {row['callee'] or row['peer'] or 'unnamed'}, that "
        if row["direction"] == "received"
        else ""
    )
    listed = ("direction", "peer", "method", "tool")
    problem = _problem(row, "odd", f"{sender}{said}{about}", "messages", listed)
    problem.listed["odd"] = "true"
    note = unreadable_text(problem.evidence) if row["odd"] == OddTraffic.UNPARSABLE else ""
    return replace(problem, note=note, odd=row["odd"])


def _unsent_message(row: Row) -> Problem:
    about = row["tool"] or row["method"]
    said = f"{_KINDS.get(row['kind'], 'a message')}{f' ({about})' if about else ''}"
    peer, error_type = row["peer"] or "its peer", row["error_type"] or "an error"
    listed = ("peer", "method", "tool")
    if error_type.isdecimal():
        what = f"got the error {error_type} from {peer} for {said}"
        return _problem(row, "failed", what, "messages", listed)
    what = f"could not send {said} to {peer}: {error_type}"
    return _problem(row, "unsent", what, "messages", listed)


def _slow_call(row: Row) -> Problem:
    what = (
        f"waited up to {_length(row['longest'])} for {_asked(row)} of "
        f"{_peer(row)}: 95 of 100 of its {row['calls']:,} calls take "
        f"{_length(row['p95'])} at most"
    )
    problem = _problem(row, "slow", what, "calls", ("peer", "method", "tool"))
    problem.listed["slower_than"] = f"{2 * row['p95'].total_seconds():.6f}s"
    return problem


def _held_call(row: Row) -> Problem:
    what = (
        f"kept {_asked(row)} for up to {_length(row['longest'])}, of {_length(row['duration'])} "
        f"that it took, before it asked {_peer(row)}"
    )
    problem = _problem(row, "slow", what, "calls", ("side", "method", "tool"))
    problem.listed["slower_than"] = "1s"
    return problem


def _repeated_call(row: Row) -> Problem:
    what = f"called {_asked(row)} of {_peer(row)} with the same arguments within a minute"
    return _problem(row, "repeated", what, "calls", ("peer", "method", "tool"))


def _changed_call(row: Row) -> Problem:
    problem = _problem(
        row | {"side": "client"},
        "odd" if row["what"] == "backend" else "changed",
        change_text(_peer(row), row),
        "calls",
        ("side", "peer", "tool"),
    )
    return replace(problem, note=passed_on_text(row))


def _unread_list(row: Row) -> Problem:
    kind = "odd" if row["what"] in ("cursor", "same") else "unread"
    listed = ("side", "peer", "method")
    return _problem(row, kind, unread_text(_peer(row), row), "calls", listed)


def _result_unlike_schema(row: Row) -> Problem:
    what = unlike_text(_peer(row), _asked(row), row)
    return _problem(row, "odd", what, "calls", ("side", "peer", "method", "tool"))


def _undelivered(row: Row) -> Problem:
    if row["missing"] > row["dropped"]:
        said = f", and says of {int(row['dropped']):,} why" if row["dropped"] else ""
        what = f"lacks {int(row['missing']):,} records of process {row['process']}{said}"
        return _problem(row | {"occasions": 0}, "undelivered", what)
    what = "has not been heard since, and has not said that it ended"
    return _problem(row | {"occasions": 0}, "silent", what)


def _dropped(row: Row) -> Problem:
    why = why_dropped(row["reason"])
    what = f"had to drop {row['records']:,} records of process {row['process']}: {why}"
    return _problem(row, "undelivered", what)


def _problem(
    row: Row, kind: str, what: str, in_list: str = "", listed: tuple[str, ...] = ()
) -> Problem:
    return Problem(
        kind,
        row["component"] or "unknown_service",
        what,
        row["occasions"],
        row["first_time"],
        row["last_time"],
        row.get("evidence") or "",
        "",
        row.get("trace_id"),
        row.get("span_id"),
        row.get("message_id"),
        in_list,
        {name: str(row[name]) for name in ("component", *listed) if row[name] is not None},
    )


def _length(value: timedelta) -> str:
    return duration_text(round(value.total_seconds() * 10**9))


READERS: Final[dict[LiteralString, Callable[[Row], Problem]]] = {
    "failed_calls": _failed_call,
    "failed_connections": _failed_connection,
    "odd_messages": _odd_message,
    "unsent_messages": _unsent_message,
    "slow_calls": _slow_call,
    "held_calls": _held_call,
    "repeated_calls": _repeated_call,
    "changed_calls": _changed_call,
    "unread_lists": _unread_list,
    "results_unlike_schema": _result_unlike_schema,
    "undelivered": _undelivered,
    "dropped": _dropped,
}
"""The statements, and what makes a problem of a row of each."""


def rows_of(
    connection: psycopg.Connection[Any], name: LiteralString, bound: Mapping[str, object]
) -> list[Row]:
    """The rows of one of the statements, with all that `read` takes from them."""
    load = failed_calls.load if name == "failed_calls" else partial(rows, name=name)
    return load(connection, bound=bound)


def read(name: LiteralString, answer: Iterable[Row]) -> Iterator[Problem]:
    """Make problems of the rows of one of the statements."""
    return map(READERS[name], answer)


def ask(
    connection: psycopg.Connection[Any], times: Mapping[str, object], most: int = MOST
) -> dict[LiteralString, list[Row]]:
    """Look for all kinds, one after the other: the rows of each statement, for `read`.

    Args:
        connection: As `database.reading` gives it.
        times: `since` and `until`.
        most: Groups of each kind.

    Raises:
        ReadingError: With PostgreSQL's words, and what to do.
    """
    return {name: rows_of(connection, name, {**times, "most": most}) for name in READERS}


def in_time(problems: Iterable[Problem]) -> list[Problem]:
    """Put the newest first."""
    return sorted(problems, key=lambda one: one.last_time, reverse=True)
