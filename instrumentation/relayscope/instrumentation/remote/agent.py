"""One process as an OpAMP agent: its messages to the server, and the server's to it."""

import json
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from google.protobuf.message import DecodeError
from opentelemetry._opamp.proto import opamp_pb2
from opentelemetry._opamp.proto.anyvalue_pb2 import AnyValue, KeyValue

from relayscope.instrumentation.delivery.origin import SERVICE_NAME, Origin

from .rules_status_file import RulesStatus

FILE: Final = "relayscope"
"""The name of our file in a configuration."""

_INSTANCE: Final = "service.instance.id"
_IDENTIFYING: Final = (SERVICE_NAME, _INSTANCE, "service.namespace", "service.version")
_ALSO_TOLD: Final = (
    "process.pid",
    "host.name",
    "telemetry.distro.name",
    "telemetry.distro.version",
)
_NAMESPACE: Final = UUID("5d0a3c4e-3f4b-4f1e-9a50-0c9a3d1f7b62")

_CAPABILITIES: Final = (
    opamp_pb2.AgentCapabilities_ReportsStatus
    | opamp_pb2.AgentCapabilities_ReportsHeartbeat
    | opamp_pb2.AgentCapabilities_AcceptsRemoteConfig
    | opamp_pb2.AgentCapabilities_ReportsRemoteConfig
    | opamp_pb2.AgentCapabilities_ReportsEffectiveConfig
)


class Agent:
    """A process, for as long as it runs.

    Everything is said of it each time, in 500 bytes: then neither side has to know what the other
    has missed. Its id is the process's own, so that a new forwarder speaks for the same agent.
    """

    def __init__(self, folder: Path, origin: Origin) -> None:
        self._folder = folder
        resource = origin.resource
        instance = str(resource.get(_INSTANCE) or folder.name)
        self._uid = _uid(instance).bytes
        told = {**resource, _INSTANCE: instance}
        self._description = opamp_pb2.AgentDescription(
            identifying_attributes=_attributes(told, _IDENTIFYING),
            non_identifying_attributes=_attributes(told, _ALSO_TOLD),
        )
        self._number = 0

    def message(self, given: str) -> bytes:
        """Return the next message: identity, effective configuration, status of the rules.

        Args:
            given: Hash of the rules that lie ready for it, in hex digits; empty if none.
        """
        self._number += 1
        message = opamp_pb2.AgentToServer(
            instance_uid=self._uid,
            sequence_num=self._number,
            capabilities=_CAPABILITIES,
            agent_description=self._description,
        )
        taken = RulesStatus.read(self._folder)
        message.remote_config_status.CopyFrom(_status(given, taken))
        file = message.effective_config.config_map.config_map[FILE]
        file.content_type = "application/json"
        if taken is not None:
            content = {
                "level": taken.level,
                "host_logs": taken.host_logs,
                "rules": list(taken.rules),
            }
            file.body = json.dumps(content).encode()
        return message.SerializeToString()

    def last_message(self) -> bytes:
        """Return what to say when the process has ended."""
        return opamp_pb2.AgentToServer(
            instance_uid=self._uid,
            sequence_num=self._number + 1,
            capabilities=_CAPABILITIES,
            agent_disconnect=opamp_pb2.AgentDisconnect(),
        ).SerializeToString()


def _status(given: str, taken: RulesStatus | None) -> opamp_pb2.RemoteConfigStatus:
    status = opamp_pb2.RemoteConfigStatus(last_remote_config_hash=bytes.fromhex(given))
    if taken is not None and taken.error:
        status.status = opamp_pb2.RemoteConfigStatuses_FAILED
        status.error_message = taken.error
    elif taken is not None and given and taken.hash == given:
        status.status = opamp_pb2.RemoteConfigStatuses_APPLIED
    elif given:
        status.status = opamp_pb2.RemoteConfigStatuses_APPLYING
    return status


def offered(answer: bytes) -> tuple[str, Any] | None:
    """Return the hash and the content of the rules that a server's answer offers; None if none.

    Raises:
        ValueError: It is no answer, or the rules are not JSON.
    """
    try:
        message = opamp_pb2.ServerToAgent.FromString(answer)
    except DecodeError as error:
        raise ValueError(f"the answer is not OpAMP's: {error}") from None
    if message.HasField("error_response"):
        raise ValueError(message.error_response.error_message or "the server refuses")
    files = message.remote_config.config.config_map
    if FILE not in files:
        return None
    return message.remote_config.config_hash.hex(), json.loads(files[FILE].body)


def _attributes(told: dict[str, Any], names: tuple[str, ...]) -> list[KeyValue]:
    return [
        KeyValue(key=name, value=AnyValue(string_value=str(told[name])))
        for name in names
        if told.get(name) is not None
    ]


def _uid(instance: str) -> UUID:
    try:
        return UUID(instance)
    except ValueError:
        return uuid5(_NAMESPACE, instance)
