"""Levels that are set from outside: which rules hold, and which processes have taken them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, Row, text

from relayscope.storage.errors import TooManyRules

MOST_RULES: Final = 100
"""Rules that hold at a time. A process looks through those that are about it for each message."""

_MOST_AGENTS: Final = 10_000
_KEPT: Final = timedelta(days=1)
"""Time for which a process is remembered that asks no more."""

_KEPT_CHANGES: Final = timedelta(days=365)

# One change at a time: what it replaces is looked up before.
_LOCK: Final = text("select pg_advisory_xact_lock(hashtextextended('relayscope.levels', 0))")
_RULES: Final = text(
    "select id, component, level, peer, method, target, direction, host_logs, set_at, set_by,"
    " until, now() as now from relayscope_store.level_in_force order by set_at desc, id"
)
_COUNT: Final = text("select count(*) from relayscope_store.level_in_force")
_ADD: Final = text(
    "insert into relayscope_store.level_rule"
    " (id, component, level, peer, method, target, direction, host_logs, set_at, set_by, until)"
    " values (:id, :component, :level, :peer, :method, :target, :direction, :host_logs,"
    " clock_timestamp(), :by, clock_timestamp() + cast(:duration as interval))"
)
_RESET: Final = text(
    "update relayscope_store.level_in_force"
    " set ended_at = clock_timestamp(), ended_by = :by, ending = :ending"
    " where component = :component"
)
_RESET_ALIKE: Final = text(
    _RESET.text + " and peer = :peer and method = :method and target = :target"
    " and direction = :direction and host_logs = :host_logs"
)
_REPLACE: Final = text(_RESET_ALIKE.text + " and (until is not null or not :is_temporary)")
_FORGET_CHANGES: Final = text(
    "delete from relayscope_store.level_rule"
    " where coalesce(ended_at, until) < now() - cast(:kept as interval)"
)

_AGENT: Final = text(
    "select uid, component, process, pid, version, effective::text, hash, status, message, ended,"
    " last_seen > now() - interval '5 seconds' as is_recent"
    " from relayscope_store.level_agent where uid = :uid"
)
_AGENTS: Final = text(
    "select component, process, pid, version, effective, hash, status, message, since, first_seen,"
    " last_seen, ended, extract(epoch from now() - last_seen)::float8 as silent"
    " from relayscope_store.level_agent"
    " where last_seen > now() - interval '1 hour' order by component, first_seen, process"
)
_COUNT_AGENTS: Final = text("select count(*) from relayscope_store.level_agent")
_FORGET_AGENTS: Final = text(
    "delete from relayscope_store.level_agent where last_seen < now() - cast(:kept as interval)"
)
_SAVE: Final = text(
    "insert into relayscope_store.level_agent as known"
    " (uid, component, process, pid, version, effective, hash, status, message, ended)"
    " values (:uid, :component, :process, :pid, :version, cast(:effective as json), :hash,"
    " :status, :message, :ended)"
    " on conflict (uid) do update set component = excluded.component, process = excluded.process,"
    " pid = excluded.pid, version = excluded.version, effective = excluded.effective,"
    " hash = excluded.hash, status = excluded.status, message = excluded.message,"
    " ended = excluded.ended, last_seen = now(),"
    " since = case when (known.hash, known.status) = (excluded.hash, excluded.status)"
    " then known.since else now() end"
)
_HEARD: Final = text(
    "select component, process, last_time, ended, lately from relayscope_store.heard_lately()"
)


class Selectors(NamedTuple):
    """Selectors of a rule's messages and components; patterns are those of a shell.

    Attributes:
        component: Of `service.name`.
        peer: Of the other end.
        method: Of the request.
        target: The tool's or prompt's name.
        direction: `sent`, `received`, or nothing for both.
        host_logs: True if it is about the host's own log records, and about no message.
    """

    component: str
    peer: str = "*"
    method: str = "*"
    target: str = "*"
    direction: str = ""
    host_logs: bool = False


class LevelRule(NamedTuple):
    """A level that somebody has asked for.

    Attributes:
        now: The database's time at which this was read.
    """

    id: UUID
    about: Selectors
    level: str
    set_at: datetime
    set_by: str
    until: datetime | None
    now: datetime


class LevelAgent(NamedTuple):
    """A process, as it describes itself.

    Attributes:
        uid: The id by which it asks.
        effective: The levels that it records by, as JSON.
        hash: Of the rules that it was given last.
        status: One of OpAMP's `RemoteConfigStatuses`: applied, applying, failed or unset.
        message: The reason why it could not take them.
        ended: True if it has stopped asking.
    """

    uid: bytes
    component: str
    process: str
    pid: int | None
    version: str
    effective: str | None
    hash: bytes
    status: int
    message: str
    ended: bool = False


def rules_in_force(engine: Engine) -> list[LevelRule]:
    """Return the rules that hold now, the newest first.

    Raises:
        SQLAlchemyError: The database could not be asked.
    """
    with engine.connect() as connection:
        return [_rule(row) for row in connection.execute(_RULES)]


def set_level(
    engine: Engine, about: Selectors, level: str, by: str, duration: timedelta | None
) -> None:
    """Add a rule. What it replaces is a rule about the same, unless that outlasts it.

    Raises:
        TooManyRules: So many hold that no more may.
        SQLAlchemyError: It could not be stored.
    """
    values = {**about._asdict(), "by": by}
    with engine.begin() as connection:
        connection.execute(_LOCK)
        connection.execute(_FORGET_CHANGES, {"kept": _KEPT_CHANGES})
        is_temporary = duration is not None
        connection.execute(_REPLACE, values | {"ending": "replaced", "is_temporary": is_temporary})
        if (connection.scalar(_COUNT) or 0) >= MOST_RULES:
            raise TooManyRules(
                f"{MOST_RULES} rules hold already: reset some (`relayscope level reset`)"
            )
        connection.execute(_ADD, values | {"id": uuid4(), "level": level, "duration": duration})


def reset_levels(engine: Engine, about: Selectors, by: str) -> int:
    """End the rules with this pattern of components; return how many those were.

    Where something else is selected too, only rules about the same end.

    Raises:
        SQLAlchemyError: It could not be stored.
    """
    statement = _RESET if about == Selectors(about.component) else _RESET_ALIKE
    with engine.begin() as connection:
        connection.execute(_LOCK)
        values = {**about._asdict(), "by": by, "ending": "reset"}
        return connection.execute(statement, values).rowcount


def find_agent(connection: Connection, uid: bytes) -> tuple[LevelAgent, bool] | None:
    """Return what is known of a process, and whether it was seen just now; None if nothing."""
    row = connection.execute(_AGENT, {"uid": uid}).one_or_none()
    if row is None:
        return None
    *fields, is_recent = row
    agent = LevelAgent(*fields)
    return agent._replace(uid=bytes(agent.uid), hash=bytes(agent.hash)), is_recent


def save_agent(connection: Connection, agent: LevelAgent, *, is_new: bool) -> bool:
    """Remember a process; return whether there was room for it."""
    if is_new:
        connection.execute(_FORGET_AGENTS, {"kept": _KEPT})
        if (connection.scalar(_COUNT_AGENTS) or 0) >= _MOST_AGENTS:
            return False
    connection.execute(_SAVE, agent._asdict())
    return True


def agents(engine: Engine) -> Sequence[Row[Any]]:
    """Return the processes that have asked within the last hour."""
    with engine.connect() as connection:
        return connection.execute(_AGENTS).all()


def heard_lately(engine: Engine) -> Sequence[Row[Any]]:
    """Return the processes that have sent records lately, whether they ask for levels or not."""
    with engine.connect() as connection:
        return connection.execute(_HEARD).all()


def _rule(row: Row[Any]) -> LevelRule:
    about = Selectors(row.component, row.peer, row.method, row.target, row.direction, row.host_logs)
    return LevelRule(row.id, about, row.level, row.set_at, row.set_by, row.until, row.now)
