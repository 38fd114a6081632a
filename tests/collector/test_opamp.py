"""The collector as an OpAMP server, for agents that are not ours, too."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry._opamp.agent import OpAMPAgent
from opentelemetry._opamp.callbacks import MessageData, OpAMPCallbacks
from opentelemetry._opamp.client import OpAMPClient
from opentelemetry._opamp.proto import opamp_pb2
from opentelemetry._opamp.proto.anyvalue_pb2 import AnyValue, KeyValue

from relayscope.collector.errors import Malformed
from relayscope.collector.levels.opamp_server import OpampServer
from tests.fix_levels import level, listed, processes
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.fix_collector import Collector

PROTOBUF = "application/x-protobuf"


class Elastic(OpAMPCallbacks):
    """Does with `elastic` in the configuration what Elastic's distribution does."""

    def __init__(self) -> None:
        self.levels: list[str | None] = []
        self.answers = 0

    def on_message(self, agent: OpAMPAgent, client: OpAMPClient, message: MessageData) -> None:
        """Take a level, or refuse it."""
        self.answers += 1
        remote = message.remote_config
        if remote is None:
            return
        wanted = json.loads(remote.config.config_map["elastic"].body).get("logging_level")
        self.levels.append(wanted)
        if wanted == "warn":
            status, error = opamp_pb2.RemoteConfigStatuses_FAILED, "no such level here"
        else:
            status, error = opamp_pb2.RemoteConfigStatuses_APPLIED, ""
            client.update_effective_config(
                {"elastic": {"logging_level": wanted or "info"}}, "application/json"
            )
        told = client.update_remote_config_status(
            remote_config_hash=remote.config_hash, status=status, error_message=error
        )
        if told is not None:
            agent.send(client.build_remote_config_status_response_message(told))


@pytest.fixture
def collector(shared_collector: Collector, shared_engine: Engine) -> Collector:
    """A collector that has heard of no agent and has no rule."""
    with shared_engine.begin() as connection:
        connection.exec_driver_sql(
            "truncate relayscope_store.level_agent, relayscope_store.level_rule"
        )
    return shared_collector


@pytest.fixture
def agent(collector: Collector) -> Iterator[Elastic]:
    """An agent of OpenTelemetry's own client."""
    client = OpAMPClient(
        endpoint=collector.url("/v1/opamp"),
        agent_identifying_attributes={
            "service.name": "shop",
            "service.instance.id": str(uuid4()),
        },
    )
    callbacks = Elastic()
    running = OpAMPAgent(interval=0.2, callbacks=callbacks, client=client)
    running.start()
    try:
        yield callbacks
    finally:
        running.stop()


def test_agents_of_opentelemetry_s_own_client_obey(collector: Collector, agent: Elastic) -> None:
    """Its log level is set and reset; what it records now is listed."""
    eventually(lambda: processes(collector, "shop"))
    level(collector, "set", "shop", "DEBUG")
    eventually(lambda: agent.levels[-1:] == ["debug"])
    eventually(lambda: [each["state"] for each in processes(collector, "shop")] == ["taken"])
    eventually(lambda: [each["level"] for each in processes(collector, "shop")] == ["DEBUG"])

    level(collector, "reset", "shop")
    eventually(lambda: agent.levels[-1:] == [None])
    eventually(lambda: [each["level"] for each in processes(collector, "shop")] == ["INFO"])


def test_what_an_agent_has_refused_is_not_offered_again(
    collector: Collector, agent: Elastic
) -> None:
    """It would fail at each of its questions; another level is offered."""
    level(collector, "set", "shop", "WARN")
    eventually(lambda: [each["state"] for each in processes(collector, "shop")] == ["refused"])
    assert [each["message"] for each in processes(collector, "shop")] == ["no such level here"]
    # A question that was under way may be answered with the same offer once more.
    answered = agent.answers
    eventually(lambda: agent.answers >= answered + 2)
    offered, answered = len(agent.levels), agent.answers
    eventually(lambda: agent.answers >= answered + 5)
    assert len(agent.levels) == offered

    level(collector, "set", "shop", "ERROR")
    eventually(lambda: [each["state"] for each in processes(collector, "shop")] == ["taken"])
    assert list(dict.fromkeys(agent.levels)) == ["warn", "error"]


def message(uid: bytes = b"0123456789abcdef", **fields: Any) -> opamp_pb2.AgentToServer:
    """Return what an agent says, with a description of it."""
    described = opamp_pb2.AgentDescription(
        identifying_attributes=[KeyValue(key="service.name", value=AnyValue(string_value="shop"))]
    )
    return opamp_pb2.AgentToServer(
        instance_uid=uid,
        capabilities=opamp_pb2.AgentCapabilities_AcceptsRemoteConfig,
        agent_description=fields.pop("agent_description", described),
        **fields,
    )


def ask(collector: Collector, body: bytes, **headers: str) -> Any:
    """Return the reply to a message."""
    return collector.ask("POST", "/v1/opamp", body, {"content-type": PROTOBUF} | headers)


def test_who_is_not_known_is_asked_who_it_is(collector: Collector) -> None:
    """A collector that was restarted, or another one, has heard nothing of an agent yet."""
    unknown = opamp_pb2.AgentToServer(instance_uid=bytes(16)).SerializeToString()
    answer = opamp_pb2.ServerToAgent.FromString(ask(collector, unknown).body)

    assert answer.instance_uid == bytes(16)
    assert answer.flags & opamp_pb2.ServerToAgentFlags_ReportFullState


def test_what_comes_after_an_agent_has_gone_does_not_bring_it_back(collector: Collector) -> None:
    """Its last messages overtake each other; one that describes itself is there again."""
    ask(collector, message().SerializeToString())
    gone = message(agent_disconnect=opamp_pb2.AgentDisconnect())
    gone.ClearField("agent_description")
    late = message(sequence_num=1)
    late.ClearField("agent_description")
    for each in (gone, late):
        assert ask(collector, each.SerializeToString()).status == 200
    assert [each["state"] for each in listed(collector)["processes"]] == ["ended"]

    ask(collector, message().SerializeToString())
    assert [each["state"] for each in listed(collector)["processes"]] == ["own"]


def test_an_agent_that_asks_every_thirty_seconds_is_there_between(
    collector: Collector, shared_database_url: str
) -> None:
    """One that has missed two of its questions is silent."""
    ask(collector, message().SerializeToString())
    states = []
    with psycopg.connect(shared_database_url, autocommit=True) as connection:
        for seconds in (40, 90):
            connection.execute(
                "update relayscope_store.level_agent"
                " set last_seen = now() - make_interval(secs => %s)",
                (seconds,),
            )
            states += [each["state"] for each in listed(collector)["processes"]]

    assert states == ["own", "silent"]


def test_bodies_are_bounded_and_may_be_compressed(collector: Collector) -> None:
    """Also after decompression."""
    body = message().SerializeToString()
    assert ask(collector, gzip.compress(body), **{"content-encoding": "gzip"}).status == 200
    assert ask(collector, bytes(2**20)).status == 413
    bomb = gzip.compress(bytes(2**24))
    assert ask(collector, bomb, **{"content-encoding": "gzip"}).status == 413
    assert ask(collector, b"no protobuf").status == 400
    assert ask(collector, opamp_pb2.AgentToServer().SerializeToString()).status == 400
    assert collector.ask("POST", "/v1/opamp", body, {"content-type": "text/plain"}).status == 415
    assert collector.ask("GET", "/v1/opamp").status == 405


def test_what_an_agent_calls_itself_steers_no_terminal(collector: Collector) -> None:
    """Nor does it fill a table, or break one."""
    evil = KeyValue(key="service.name", value=AnyValue(string_value="\x1b[2Jshop\n\0" + "x" * 9999))
    described = opamp_pb2.AgentDescription(identifying_attributes=[evil])
    assert ask(collector, message(agent_description=described).SerializeToString()).status == 200

    shown = level(collector, "list").stdout
    assert "shop" in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) < 500


TEXT = st.text(max_size=8)
VALUE = st.builds(lambda text: AnyValue(string_value=text), TEXT) | st.just(AnyValue(int_value=7))
ATTRIBUTES = st.lists(
    st.builds(
        lambda key, value: KeyValue(key=key, value=value),
        st.sampled_from(["service.name", "service.instance.id", "process.pid", ""]) | TEXT,
        VALUE,
    ),
    max_size=4,
)


@given(
    st.binary()
    | st.builds(
        lambda uid, attributes, status, error, body, files: opamp_pb2.AgentToServer(
            instance_uid=uid,
            capabilities=0xFFFF,
            agent_description=opamp_pb2.AgentDescription(identifying_attributes=attributes),
            remote_config_status=opamp_pb2.RemoteConfigStatus(
                last_remote_config_hash=body, status=status, error_message=error
            ),
            effective_config=opamp_pb2.EffectiveConfig(
                config_map=opamp_pb2.AgentConfigMap(
                    config_map={name: opamp_pb2.AgentConfigFile(body=body) for name in files}
                )
            ),
        ).SerializeToString(),
        st.binary(min_size=16, max_size=16),
        ATTRIBUTES,
        st.integers(0, 2**31 - 1),
        TEXT,
        st.binary() | st.just(b'{"level": "\\u0000", "rules": [[], 1]}'),
        st.lists(st.sampled_from(["relayscope", "elastic"])),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_message_is_answered_or_refused(shared_engine: Engine, body: bytes) -> None:
    """Nothing that an agent sends is an error of the collector's."""
    try:
        answer = OpampServer(shared_engine).answer(body)
    except Malformed:
        return
    opamp_pb2.ServerToAgent.FromString(answer)
