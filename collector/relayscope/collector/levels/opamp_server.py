"""The server's side of OpAMP: hears what an agent says of itself, and offers it its rules."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry._opamp.proto import opamp_pb2

from relayscope.collector.errors import Malformed
from relayscope.collector.levels.offer import ELASTIC_FILE, FILE, Offer, offer
from relayscope.storage import LevelAgent, find_agent, rules_in_force, save_agent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Engine

    from relayscope.storage import LevelRule

_UID_BYTES: Final = 16
_LONGEST: Final = 256
"""Characters that are kept of what an agent calls itself."""
_LONGEST_MESSAGE: Final = 1000
_MOST_EFFECTIVE: Final = 16 * 1024
_MOST: Final = 64
"""Rules that are kept of what it says."""

_RULES_SECONDS: Final = 0.1
"""Age up to which read rules are offered: many agents ask at about the same time."""

_STATUSES: Final = frozenset(opamp_pb2.RemoteConfigStatuses.values())

_CAPABILITIES: Final = (
    opamp_pb2.ServerCapabilities_AcceptsStatus
    | opamp_pb2.ServerCapabilities_OffersRemoteConfig
    | opamp_pb2.ServerCapabilities_AcceptsEffectiveConfig
)


class OpampServer:
    """Answers agents. All of its memory is in the database, so that any collector may be asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._rules: list[LevelRule] = []
        self._rules_at = -_RULES_SECONDS

    def answer(self, body: bytes) -> bytes:
        """Return the answer to one message of an agent.

        Raises:
            Malformed: It is not one.
            SQLAlchemyError: The database is away.
        """
        try:
            message = opamp_pb2.AgentToServer.FromString(body)
        except DecodeError:
            raise Malformed("the body is not an OpAMP message") from None
        if len(message.instance_uid) != _UID_BYTES:
            raise Malformed(f"instance_uid has {_UID_BYTES} bytes")
        answer = opamp_pb2.ServerToAgent(
            instance_uid=message.instance_uid, capabilities=_CAPABILITIES
        )
        agent = self._hear(message)
        if agent is None or _leaves_out_what_it_does(message):
            answer.flags = opamp_pb2.ServerToAgentFlags_ReportFullState
        if agent is not None and message.capabilities & _ACCEPTS:
            wanted = offer(self._rules_now(), agent.component)
            if _is_news(wanted, agent):
                answer.remote_config.CopyFrom(_config(wanted))
        return answer.SerializeToString()

    def _hear(self, message: opamp_pb2.AgentToServer) -> LevelAgent | None:
        """Remember what an agent says of itself; None if nobody knows who it is.

        No order is expected of its messages: two may have the same number, and one may come after
        it has said that it goes. What they say is true by itself.
        """
        with self._engine.begin() as connection:
            found = find_agent(connection, message.instance_uid)
            described = message.HasField("agent_description")
            if found is None and not described:
                return None
            before = found[0] if found else LevelAgent(message.instance_uid, *_NOBODY)
            agent = _heard(before, message)
            is_recent = found is not None and found[1]
            if agent != before or not is_recent:
                save_agent(connection, agent, is_new=found is None)
        return agent

    def _rules_now(self) -> list[LevelRule]:
        with self._lock:
            if monotonic() >= self._rules_at + _RULES_SECONDS:
                self._rules = rules_in_force(self._engine)
                self._rules_at = monotonic()
            return self._rules


_ACCEPTS: Final = opamp_pb2.AgentCapabilities_AcceptsRemoteConfig
_NOBODY: Final = ("", "", None, "", None, b"", 0, "", False)


def _is_news(wanted: Offer, agent: LevelAgent) -> bool:
    # One that has failed to take these very rules has them all the same: it would fail again.
    return wanted.hash != agent.hash and not (wanted.is_empty and not agent.hash)


def _leaves_out_what_it_does(message: opamp_pb2.AgentToServer) -> bool:
    """Return whether an agent has taken rules and has to be asked what it records."""
    return (
        message.HasField("remote_config_status")
        and not message.HasField("effective_config")
        and bool(message.capabilities & opamp_pb2.AgentCapabilities_ReportsEffectiveConfig)
    )


def _heard(agent: LevelAgent, message: opamp_pb2.AgentToServer) -> LevelAgent:
    if message.HasField("agent_description"):
        described = message.agent_description
        facts = _facts(described.non_identifying_attributes)
        facts |= _facts(described.identifying_attributes)
        pid = facts.get("process.pid", "")
        agent = agent._replace(
            component=facts.get("service.name", "unknown_service"),
            process=facts.get("service.instance.id", message.instance_uid.hex()),
            pid=int(pid) if pid.isdecimal() and len(pid) <= 10 else None,  # noqa: PLR2004  # digits
            version=facts.get("telemetry.distro.version", ""),
        )
    if message.HasField("remote_config_status"):
        status = message.remote_config_status
        agent = agent._replace(
            hash=status.last_remote_config_hash[:64],
            # An enumeration of protobuf's is open: any number may come.
            status=status.status if status.status in _STATUSES else 0,
            message=_plain(status.error_message, _LONGEST_MESSAGE),
        )
    if message.HasField("effective_config"):
        agent = agent._replace(effective=_effective(message.effective_config))
    if message.HasField("agent_disconnect"):
        return agent._replace(ended=True)
    # What it says after it has gone was on its way.
    return agent._replace(ended=agent.ended and not message.HasField("agent_description"))


def _facts(attributes: Iterable[Any]) -> dict[str, str]:
    facts = {}
    for attribute in attributes:
        (value,) = MessageToDict(attribute.value).values() or ("",)
        facts[attribute.key] = _plain(str(value), _LONGEST)
    return facts


def _plain(text: str, most: int) -> str:
    """Return the text as PostgreSQL and a terminal take it."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:most])


def _effective(config: opamp_pb2.EffectiveConfig) -> str | None:
    """Return what an agent says it records: ours in levels and rules, Elastic's in one level."""
    files = config.config_map.config_map
    ours = _members(files[FILE].body) if FILE in files else {}
    elastics = _members(files[ELASTIC_FILE].body) if ELASTIC_FILE in files else {}
    rules = ours.get("rules")
    told = {
        "level": _plain(
            str(ours.get("level", elastics.get("logging_level", ""))), _LONGEST
        ).upper(),
        "host_logs": _plain(str(ours.get("host_logs", "")), _LONGEST),
        "rules": [
            _plain(str(rule), _LONGEST)
            for rule in (rules if isinstance(rules, list) else [])[:_MOST]
        ],
    }
    return orjson.dumps(told).decode() if told["level"] else None


def _members(body: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(body[:_MOST_EFFECTIVE])
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}


def _config(wanted: Offer) -> opamp_pb2.AgentRemoteConfig:
    config = opamp_pb2.AgentRemoteConfig(config_hash=wanted.hash)
    for name, body in wanted.files.items():
        file = config.config.config_map[name]
        file.body, file.content_type = body, "application/json"
    return config
