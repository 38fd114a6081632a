"""Rules and processes, as lines for a terminal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STATES: Final = {
    "taken": "taken",
    "own": "its own level",
    "given": "given; taken when the next message crosses",
    "waiting": "not asked for yet",
    "refused": "refused",
    "silent": "silent",
    "ended": "ended",
    "unreachable": "cannot be reached",
}
"""Names of a process's states."""
_WIDEST: Final = 80
"""Characters of a cell; `--json` has all of them."""
_SHORT: Final = 8
"""Characters of an instance id that tell processes apart."""


def lines(found: Mapping[str, Any], *, as_json: bool) -> Iterator[str]:
    """Yield what to print of an overview."""
    if as_json:
        yield json.dumps(found)
        return
    rules = [_rule(rule) for rule in found["rules"]]
    yield from _table(("RULES FOR", "LEVEL", "OF", "SINCE", "UNTIL", "BY"), rules, "no rules")
    yield ""
    processes = [_process(process) for process in found["processes"]]
    titles = ("COMPONENT", "PROCESS", "PID", "LEVEL", "RULES", "STATE", "SINCE")
    yield from _table(titles, processes, "no processes")


def selected(rule: Mapping[str, Any]) -> str:
    """The messages of its components that a rule is about."""
    if rule["host_logs"]:
        return "the host's log records"
    names = ("peer", "method", "tool", "direction")
    what = " ".join(f"{name}={rule[name]}" for name in names if rule[name] not in {"*", ""})
    return what or "all messages"


def _rule(rule: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        _shown(rule["component"]),
        rule["level"],
        _shown(selected(rule)),
        _time(rule["since"]),
        _time(rule["until"]) or "reset",
        _shown(rule["by"]) or "-",
    )


def _process(process: Mapping[str, Any]) -> tuple[str, ...]:
    state = STATES.get(process["state"], process["state"])
    if process["message"]:
        state += f": {process['message']}"
    return (
        _shown(process["component"]),
        _shown(process["process"] or "")[:_SHORT],
        str(process.get("pid") or "-"),
        _shown(process["level"] or "-"),
        _shown(", ".join(process.get("rules", ()))) or "-",
        _shown(state),
        _time(process.get("since") or process.get("last_seen")),
    )


def _time(time: str | None) -> str:
    if time is None:
        return ""
    moment = datetime.fromisoformat(time).astimezone()
    today = datetime.now(UTC).astimezone().date()
    return moment.strftime("%H:%M:%S" if moment.date() == today else "%m-%d %H:%M")


def _shown(text: str) -> str:
    """Return a peer's name without characters that steer the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _fitting(cell: str) -> str:
    """Cut a text: one that is very long would push apart all rows."""
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 1]}…"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> Iterator[str]:
    if not rows:
        yield nothing
        return
    rows = [[_fitting(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles))]
    for row in (titles, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
