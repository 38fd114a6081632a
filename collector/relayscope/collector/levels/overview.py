"""A list of the rules that hold, and of the processes that have taken them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from relayscope.collector.levels.offer import offer
from relayscope.storage import agents, heard_lately, rules_in_force

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from datetime import datetime

    from sqlalchemy import Engine

    from relayscope.storage import LevelRule

_SILENT_SECONDS: Final = 75.0
"""After so long without a question a process counts as gone: by OpAMP's default agents ask every
30 s, and one question may be lost."""

_APPLIED, _APPLYING, _FAILED = 1, 2, 3


def overview(engine: Engine) -> dict[str, Any]:
    """Return everything as JSON has it.

    Raises:
        SQLAlchemyError: The database could not be asked.
    """
    rules = rules_in_force(engine)
    known, heard = agents(engine), heard_lately(engine)
    # Their forwarders may end before they can say it here.
    ended = {(row.component, row.process) for row in heard if row.ended}
    processes = [_asking(row, rules, ended) for row in known]
    asking = {(row.component, row.process) for row in known}
    processes += [
        {
            "component": row.component,
            "process": row.process,
            "level": None,
            "state": "ended" if row.ended else "unreachable",
            "message": "" if row.ended else "sends records, and does not ask for levels",
            "last_seen": row.last_time.isoformat(),
        }
        for row in heard
        if row.lately and (row.component, row.process) not in asking
    ]
    return {"rules": [_told(rule) for rule in rules], "processes": processes}


def _told(rule: LevelRule) -> dict[str, Any]:
    about = rule.about
    return {
        "component": about.component,
        "level": rule.level,
        "peer": about.peer,
        "method": about.method,
        "tool": about.target,
        "direction": about.direction,
        "host_logs": about.host_logs,
        "since": rule.set_at.isoformat(),
        "until": _time(rule.until),
        "by": rule.set_by,
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _asking(
    row: Any, rules: Iterable[LevelRule], ended: Container[tuple[str, str]]
) -> dict[str, Any]:
    effective = row.effective or {}
    return {
        "component": row.component,
        "process": row.process,
        "pid": row.pid,
        "version": row.version,
        "level": effective.get("level"),
        "host_logs": effective.get("host_logs"),
        "rules": effective.get("rules", []),
        "state": "ended" if (row.component, row.process) in ended else _state(row, rules),
        "message": row.message,
        "since": row.since.isoformat(),
        "last_seen": row.last_seen.isoformat(),
    }


def _state(row: Any, rules: Iterable[LevelRule]) -> str:
    if row.ended:
        return "ended"
    if row.silent > _SILENT_SECONDS:
        return "silent"
    wanted = offer(rules, row.component)
    hash_ = bytes(row.hash)
    if wanted.hash != hash_:
        return "own" if wanted.is_empty and not hash_ else "waiting"
    return {_APPLIED: "taken", _APPLYING: "given", _FAILED: "refused"}.get(row.status, "waiting")
