"""Promises about whose child a sent message is, where the context of its task says another."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from opentelemetry import propagate
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from relayscope.conventions.attributes import JSONRPC_REQUEST_ID
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_telemetry import Telemetry

SHARED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Gateway:
    """A client's connection and a backend's, and what is said on both."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._text_exchange = TextExchange(telemetry.exchange)
        self._client, self._backend = Channel.of_pipes("client"), Channel.of_pipes("backend")
        self._backends: dict[str, Channel] = {}
        self._clients: dict[str, Channel] = {}
        self._ids = iter(range(100, 1000))

    def hear_from(self, client: str, identifier: int, method: str, **params: Any) -> None:
        """Receive a request from one of several clients."""
        channel = self._clients.setdefault(client, Channel.of_pipes(client))
        text = {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}
        self._text_exchange.received(channel, json.dumps(text))

    def hear(self, identifier: int | None, method: str, **params: Any) -> None:
        """Receive a request or notification from the client."""
        head = {} if identifier is None else {"id": identifier}
        text = {"jsonrpc": "2.0", **head, "method": method, "params": params}
        self._text_exchange.received(self._client, json.dumps(text))

    def answer(self, identifier: int) -> None:
        """Answer the client."""
        self._text_exchange.sending(self._client, _result(identifier))

    def end_clients(self) -> None:
        """Answer all that was asked by one of several clients."""
        for channel in self._clients.values():
            for call in [*channel.received.older_than(sys.maxsize)]:
                assert isinstance(call.request.id, int)
                self._text_exchange.sending(channel, _result(call.request.id))

    def ask(self, method: str, **params: Any) -> None:
        """Ask the backend, which answers."""
        self._ask(self._backend, method, params)

    def ask_in_a_session(self, session: str, backend: str, method: str, **params: Any) -> None:
        """The same of one of several backends, in one of several sessions."""
        channel = self._backends.setdefault(session, Channel.of_pipes(backend))
        self._ask(channel, method, params)

    def _ask(self, channel: Channel, method: str, params: dict[str, Any]) -> None:
        identifier = next(self._ids)
        text = {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}
        self._text_exchange.sending(channel, json.dumps(text))
        self._text_exchange.received(channel, _result(identifier))

    def causes(self) -> list[tuple[str, str | None]]:
        """Each message to the backend, and the id of the client's request that is its parent."""
        spans = {span.context.span_id: span for span in self._telemetry.spans if span.context}

        def cause(span: ReadableSpan) -> str | None:
            above = spans.get(span.parent.span_id) if span.parent else None
            if above is None:
                return None
            return str((above.attributes or {}).get(JSONRPC_REQUEST_ID, above.name))

        return [
            (span.name, cause(span)) for span in self._telemetry.spans if span.kind.name == "CLIENT"
        ]


def _result(identifier: int) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": identifier, "result": {}})


Job = Callable[[], object]


async def owning(jobs: "asyncio.Queue[Job]") -> None:
    """Own the backend's session: do what others ask for, one after the other."""
    while True:
        (await jobs.get())()
        jobs.task_done()


def in_a_task(scene: Callable[["asyncio.Queue[Job]"], Awaitable[None]]) -> None:
    """Play a scene, with a queue that an owner of the session serves once it is started."""

    async def play() -> None:
        await scene(asyncio.Queue())
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    asyncio.run(play())


@pytest.fixture
def gateway(telemetry: Telemetry) -> Gateway:
    """A gateway whose context is all that there is."""
    return Gateway(telemetry)


def test_a_task_that_outlives_its_request_works_for_those_after_it(gateway: Gateway) -> None:
    """The session's owner was started in the first call; the gateway renames tools."""

    async def scene(jobs: "asyncio.Queue[Job]") -> None:
        gateway.hear(1, "tools/call", name="maths-add_up", arguments={"a": 1})
        asyncio.create_task(owning(jobs))  # noqa: RUF006  # ended with the scene
        await jobs.put(lambda: gateway.ask("tools/call", name="add-up", arguments={"a": 1}))
        await jobs.join()
        gateway.answer(1)
        gateway.hear(2, "tools/call", name="maths-add_up", arguments={"a": 2})
        gateway.hear(3, "tools/list")
        await jobs.put(lambda: gateway.ask("tools/list"))
        await jobs.put(lambda: gateway.ask("tools/call", name="add-up", arguments={"a": 2}))
        await jobs.put(lambda: gateway.ask("ping"))
        await jobs.join()
        gateway.answer(2)
        gateway.answer(3)

    in_a_task(scene)

    assert gateway.causes() == [
        ("tools/call add-up", "1"),
        ("tools/list", "3"),
        ("tools/call add-up", "2"),
        ("ping", None),
    ]


def test_a_task_of_a_request_that_is_still_open_works_for_others_too(gateway: Gateway) -> None:
    """A message that looks like another open request, and not like its own, is the other's."""

    async def scene(jobs: "asyncio.Queue[Job]") -> None:
        gateway.hear(1, "tools/call", name="x-add", arguments={"a": 1})
        asyncio.create_task(owning(jobs))  # noqa: RUF006  # ended with the scene
        await asyncio.sleep(0)
        gateway.hear(2, "tools/call", name="x-add", arguments={"a": 2})
        for number in (2, 1):
            ask = partial(gateway.ask, "tools/call", name="add", arguments={"a": number})
            await jobs.put(ask)
        await jobs.put(lambda: gateway.ask("tools/call", name="log", arguments={}))
        await jobs.join()
        gateway.answer(1)
        gateway.answer(2)

    in_a_task(scene)

    assert gateway.causes() == [
        ("tools/call add", "2"),
        ("tools/call add", "1"),
        ("tools/call log", "1"),
    ]


def test_requests_that_look_alike_are_passed_on_in_their_order(gateway: Gateway) -> None:
    """Three lists are asked for at once, and passed on by a task that knows of none."""

    async def scene(jobs: "asyncio.Queue[Job]") -> None:
        asyncio.create_task(owning(jobs))  # noqa: RUF006  # ended with the scene
        await asyncio.sleep(0)
        for number in (1, 2, 3):
            gateway.hear(number, "tools/list")
            await jobs.put(lambda: gateway.ask("tools/list"))
        await jobs.join()
        for number in (1, 2, 3):
            gateway.answer(number)

    in_a_task(scene)

    assert [cause for _, cause in gateway.causes()] == ["1", "2", "3"]


def test_a_task_that_was_started_by_a_notification_works_for_requests(gateway: Gateway) -> None:
    """Relays connect to their backends when the client is ready, and keep the connections."""

    async def scene(jobs: "asyncio.Queue[Job]") -> None:
        gateway.hear(None, "notifications/initialized")
        asyncio.create_task(owning(jobs))  # noqa: RUF006  # ended with the scene
        await jobs.put(lambda: gateway.ask("initialize", capabilities={}))
        await jobs.join()
        gateway.hear(1, "tools/list")
        await jobs.put(lambda: gateway.ask("tools/list"))
        await jobs.join()
        gateway.answer(1)

    in_a_task(scene)

    assert gateway.causes() == [("initialize", "notifications/initialized"), ("tools/list", "1")]


def test_a_span_of_the_host_that_has_ended_is_no_parent(gateway: Gateway) -> None:
    """Its task goes on; while the request that it is about is open, that is the parent."""
    tracer = TracerProvider().get_tracer("host")

    async def scene(jobs: "asyncio.Queue[Job]") -> None:
        gateway.hear(1, "tools/call", name="x", arguments={"a": 1})
        with tracer.start_as_current_span("route"):
            asyncio.create_task(owning(jobs))  # noqa: RUF006  # ended with the scene
            await asyncio.sleep(0)
        await jobs.put(lambda: gateway.ask("tools/call", name="of its own", arguments={"b": 1}))
        await jobs.join()
        gateway.answer(1)
        await jobs.put(lambda: gateway.ask("ping"))
        await jobs.join()

    in_a_task(scene)

    assert gateway.causes() == [("tools/call of its own", "1"), ("ping", None)]


def test_requests_with_one_traceparent_that_is_passed_on_are_told_apart(gateway: Gateway) -> None:
    """A client may have one span for all of its calls, and a relay pass `_meta` on."""
    meta = {"traceparent": SHARED}

    async def scene(jobs: "asyncio.Queue[Job]") -> None:
        gateway.hear(1, "tools/call", name="x", arguments={"a": 1}, _meta=meta)
        asyncio.create_task(owning(jobs))  # noqa: RUF006  # ended with the scene
        await asyncio.sleep(0)
        gateway.hear(2, "tools/call", name="x", arguments={"a": 2}, _meta=meta)
        gateway.hear(3, "tools/call", name="x", arguments={"a": 3}, _meta=meta)
        gateway.answer(3)
        for number in (2, 1):
            call = {"name": "x", "arguments": {"a": number}, "_meta": meta}
            await jobs.put(partial(gateway.ask, "tools/call", **call))
        await jobs.join()
        gateway.answer(1)
        gateway.answer(2)

    in_a_task(scene)

    assert [cause for _, cause in gateway.causes()] == ["2", "1"]


def test_a_context_that_the_sdk_carries_by_itself_is_no_better_than_the_tasks(
    gateway: Gateway,
) -> None:
    """The SDK 2.x puts the current span into `_meta`, also one that has ended long ago."""

    def ask(number: int) -> None:
        meta: dict[str, str] = {}
        propagate.inject(meta)
        gateway.ask("tools/call", name="add", arguments={"a": number}, _meta=meta)

    async def scene(jobs: "asyncio.Queue[Job]") -> None:
        for number in (1, 2):
            gateway.hear(number, "tools/call", name="x-add", arguments={"a": number})
            if number == 1:
                asyncio.create_task(owning(jobs))  # noqa: RUF006  # ended with the scene
            await jobs.put(partial(ask, number))
            await jobs.join()
            gateway.answer(number)

    in_a_task(scene)

    assert [cause for _, cause in gateway.causes()] == ["1", "2"]


def test_calls_that_look_alike_and_open_a_session_each_keep_their_own_context(
    gateway: Gateway,
) -> None:
    """Gateways open a session for each call, and shake hands in it first, in the call's context."""
    arguments = {"text": "twin"}

    async def call(number: int, others: asyncio.Barrier) -> None:
        gateway.hear(number, "tools/call", name="maths-echo", arguments=arguments)
        await others.wait()
        session = f"of {number}"
        gateway.ask_in_a_session(session, "maths", "initialize", capabilities={})
        gateway.ask_in_a_session(session, "maths", "tools/list")
        await others.wait()
        gateway.ask_in_a_session(session, "maths", "tools/call", name="echo", arguments=arguments)
        await others.wait()
        gateway.answer(number)

    async def scene(_: object) -> None:
        others = asyncio.Barrier(3)
        await asyncio.gather(*(call(number, others) for number in (1, 2, 3)))

    in_a_task(scene)

    assert sorted(gateway.causes()) == [
        *(("initialize", number) for number in "123"),
        *(("tools/call echo", number) for number in "123"),
        *(("tools/list", number) for number in "123"),
    ]


def test_a_call_to_one_backend_is_no_call_that_was_meant_for_another(gateway: Gateway) -> None:
    """Both have a tool of that name, and the gateway puts each backend's own before it."""
    arguments = {"text": "twin"}

    async def scene(jobs: "asyncio.Queue[Job]") -> None:
        # What each backend's names are given is seen while one call is open at a time.
        for number, backend in ((1, "alpha"), (2, "beta")):
            gateway.hear(number, "tools/call", name=f"{backend}-add", arguments={"a": 1})
            ask = partial(gateway.ask_in_a_session, backend, backend, "tools/call")
            ask(name="add", arguments={"a": 1})
            gateway.answer(number)
        asyncio.create_task(owning(jobs))  # noqa: RUF006  # ended with the scene
        gateway.hear(3, "tools/call", name="alpha-echo", arguments=arguments)
        gateway.hear(4, "tools/call", name="beta-echo", arguments=arguments)
        for backend in ("beta", "alpha"):
            ask = partial(gateway.ask_in_a_session, backend, backend, "tools/call")
            await jobs.put(partial(ask, name="echo", arguments=arguments))
        await jobs.join()
        gateway.answer(3)
        gateway.answer(4)

    in_a_task(scene)

    assert [cause for _, cause in gateway.causes()] == ["1", "2", "4", "3"]


def test_a_session_that_is_kept_for_a_client_carries_what_that_client_asks(
    gateway: Gateway,
) -> None:
    """A task that was started in the client's first call owns it; two clients ask alike at once."""
    arguments = {"text": "twin"}
    served: dict[str, asyncio.Queue[Job]] = {client: asyncio.Queue() for client in ("one", "two")}

    async def first_call(client: str, number: int) -> None:
        gateway.hear_from(client, number, "tools/call", name="echo", arguments={"text": client})
        asyncio.create_task(owning(served[client]))  # noqa: RUF006  # ended with the scene
        ask = partial(gateway.ask_in_a_session, f"of {client}", "backend", "tools/call")
        await served[client].put(partial(ask, name="echo", arguments={"text": client}))
        await served[client].join()

    async def scene(_: object) -> None:
        await asyncio.gather(first_call("one", 1), first_call("two", 2))
        gateway.end_clients()
        gateway.hear_from("one", 3, "tools/call", name="echo", arguments=arguments)
        gateway.hear_from("two", 4, "tools/call", name="echo", arguments=arguments)
        for client in ("two", "one"):
            ask = partial(gateway.ask_in_a_session, f"of {client}", "backend", "tools/call")
            await served[client].put(partial(ask, name="echo", arguments=arguments))
            await served[client].join()
        gateway.end_clients()

    in_a_task(scene)

    assert [cause for _, cause in gateway.causes()][2:] == ["4", "3"]


@pytest.mark.parametrize("told", ["notifications/progress", "notifications/message"])
def test_nothing_is_asked_because_of_a_notification_that_asks_nothing(
    gateway: Gateway, told: str
) -> None:
    """A program of one thread reads it while it waits, and goes on with what it is at."""
    gateway.hear(None, told, data="before")
    gateway.ask("tools/call", name="of its own")
    gateway.hear(1, "tools/call", name="x")
    for number in range(3):
        gateway.hear(None, told, data=number)
    gateway.ask("resources/read", uri="a:b")
    gateway.answer(1)
    gateway.hear(None, told, data="behind")
    gateway.ask("ping")

    assert gateway.causes() == [
        ("tools/call of its own", None), ("resources/read", "1"), ("ping", None)
    ]  # fmt: skip
