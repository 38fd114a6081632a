"""Promises about levels: per component, peer, method and direction, as profiles, at any time."""

import re
import textwrap
from contextvars import Context
from pathlib import Path

import pytest
from opentelemetry.trace import INVALID_SPAN, Span, StatusCode, get_current_span

from relayscope.instrumentation import Direction, Level, Levels, Rule, read_profile
from relayscope.instrumentation.hooks.pipes.lines import IncomingLines, OutgoingLines
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_telemetry import Telemetry

CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"}}'
LOG_CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"logger_log"}}'
ANSWER = '{"jsonrpc":"2.0","id":1,"result":{}}'
ERROR = '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"broken"}}'


def call(telemetry: Telemetry, peer: str, request: str = CALL, answer: str = ANSWER) -> str:
    """Make a call; return what went over the wire."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes(peer)
    outgoing = text_exchange.sending(channel, request)
    text_exchange.received(channel, answer)
    return request if outgoing is None else outgoing.data


def test_a_peer_that_is_off_gets_exactly_what_the_host_sends(telemetry: Telemetry) -> None:
    """No span, no record, no context; other peers are recorded."""
    telemetry.exchange.levels = Levels(rules=(Rule(Level.OFF, peer="*:9060"),))

    assert call(telemetry, "127.0.0.1:9060") == CALL
    assert (telemetry.spans, telemetry.records) == ([], [])
    assert "traceparent" in call(telemetry, "127.0.0.1:9061")
    assert (len(telemetry.spans), len(telemetry.records)) == (1, 2)


def test_a_tool_that_is_off_is_not_recorded_and_its_answer_is_no_orphan(
    telemetry: Telemetry,
) -> None:
    """A relay that logs through a tool does not fill its own traces."""
    telemetry.exchange.levels = Levels(
        rules=(Rule(Level.OFF, method="tools/call", target="logger_*"),)
    )

    assert call(telemetry, "peer", LOG_CALL) == LOG_CALL
    assert (telemetry.spans, telemetry.records) == ([], [])
    call(telemetry, "peer")
    assert (len(telemetry.spans), len(telemetry.records)) == (1, 2)


def test_a_direction_has_a_level_of_its_own(telemetry: Telemetry) -> None:
    """Answers with their text, requests without it."""
    telemetry.exchange.levels = Levels(
        Level.TRACE, (Rule(Level.DEBUG, method="tools/*", direction=Direction.SENT),)
    )
    call(telemetry, "peer")

    assert telemetry.bodies == [None, ANSWER]
    assert len(telemetry.spans) == 1


def test_the_first_rule_that_fits_holds(telemetry: Telemetry) -> None:
    """A narrow rule before a wide one is an exception from it."""
    telemetry.exchange.levels = Levels(
        rules=(Rule(Level.TRACE, peer="kept"), Rule(Level.OFF, peer="*"))
    )
    call(telemetry, "kept")
    call(telemetry, "other")

    assert len(telemetry.records) == 2


@pytest.mark.parametrize("level", [Level.WARN, Level.ERROR])
def test_above_info_only_calls_that_failed_are_spans(telemetry: Telemetry, level: Level) -> None:
    """A failed call is a span from its request to its answer; one that worked is nothing."""
    telemetry.exchange.levels = Levels(level)
    call(telemetry, "peer")
    assert telemetry.spans == []
    call(telemetry, "peer", answer=ERROR)

    (span,) = telemetry.spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "broken"
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.start_time < span.end_time


def test_a_level_holds_from_the_next_message_on(telemetry: Telemetry) -> None:
    """Also on a channel that is open already."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    for level in (Level.TRACE, Level.OFF, Level.DEBUG):
        telemetry.exchange.levels = Levels(level)
        text_exchange.received(channel, '{"jsonrpc":"2.0","method":"notifications/initialized"}')

    assert [record.log_record.severity_text for record in telemetry.records] == ["TRACE", "DEBUG"]


def test_lines_of_a_pipe_that_was_off_do_not_take_the_next_ones_span(telemetry: Telemetry) -> None:
    """Lines that arrive or are written while off are passed over, in any pieces."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    lines = IncomingLines(text_exchange, channel)
    out, written = OutgoingLines(text_exchange, channel, b"\n"), bytearray()
    request, answer = CALL.encode() + b"\n", ANSWER.encode() + b"\n"

    telemetry.exchange.levels = Levels(Level.OFF)
    for cut in (len(request), 9):
        for piece in (request[:cut], request[cut:] + request[:cut], request[cut:]):
            lines.feed(piece)
        for piece in (answer[:cut], answer[cut:] + answer[:cut], answer[cut:]):
            out.write(written.extend, piece)
    telemetry.exchange.levels = Levels(Level.TRACE)
    lines.feed(request)
    out.write(written.extend, answer)

    def span_after(read: int) -> Span:
        lines.read(read)
        return get_current_span()

    assert written == 5 * answer
    assert telemetry.bodies == [CALL, ANSWER]
    assert Context().run(span_after, 5 * len(request) - 1) is INVALID_SPAN
    assert Context().run(span_after, 5 * len(request)) is not INVALID_SPAN


def test_injection_can_be_switched_off_for_a_peer(telemetry: Telemetry) -> None:
    """Its calls are recorded, and reach it as the host has sent them."""
    telemetry.exchange.levels = Levels(uninjected=("*:9061",))

    assert call(telemetry, "127.0.0.1:9061") == CALL
    assert len(telemetry.spans) == 1
    assert "traceparent" in call(telemetry, "127.0.0.1:9062")


def test_profiles_are_read_from_yaml(tmp_path: Path) -> None:
    """A user's own profile has everything that levels have; the built-in ones stay."""
    file = tmp_path / "profiles.yaml"
    file.write_text(
        """
        profiles:
          quiet:
            level: INFO
            rules:
              - {peer: "*:9060", level: OFF}
              - {method: tools/call, target: add, direction: received, level: TRACE}
            no_injection: ["*:9061"]
        """
    )

    assert read_profile("quiet", file) == Levels(
        Level.INFO,
        (
            Rule(Level.OFF, peer="*:9060"),
            Rule(Level.TRACE, method="tools/call", target="add", direction=Direction.RECEIVED),
        ),
        ("*:9061",),
    )
    assert read_profile("production", file) == Levels(Level.INFO)
    assert read_profile("development") == Levels(Level.TRACE)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("profiles: {a: {level: LOUD}}", "profile a: unknown level 'LOUD'"),
        ("profiles: {a: {rules: [{peer: x}]}}", "profile a, rule 1 has no level"),
        ("profiles: {a: {rules: [{level: INFO, pear: x}]}}", "unknown name 'pear'"),
        ("profiles: {a: {rules: {}}}", "a list is expected"),
        ("profiles: {a: {level: 'OFF', level: INFO}}", "level is there twice"),
        ("profiles: {a: {rules: [{level: INFO, direction: up}]}}", "sent or received, not 'up'"),
        ("[", "expected"),
        ("profiles: {b: {}}", "unknown profile 'a': use one of b, development, production"),
    ],
)
def test_a_mistake_in_a_profile_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    """The message says what is wrong, and where."""
    file = tmp_path / "profiles.yaml"
    file.write_text(text)

    with pytest.raises(ValueError, match=re.escape(complaint)):
        read_profile("a", file)


def test_the_profile_in_the_documentation_can_be_read(tmp_path: Path) -> None:
    """The example in `docs/levels.md` is a profile, with three rules."""
    page = (Path(__file__).parents[3] / "docs/levels.md").read_text()
    block = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert block is not None
    file = tmp_path / "profiles.yaml"
    file.write_text(textwrap.dedent(block[1]))

    profile = read_profile("mine", file)

    assert (profile.level, profile.of_host_logs) == (Level.DEBUG, Level.WARN)
    assert [rule.level for rule in profile.rules] == [Level.OFF, Level.OFF, Level.TRACE]
    assert profile.uninjected == ("*:9061",)


def test_a_level_has_the_name_that_python_gives_it_too() -> None:
    """`--level warning` is WARN."""
    assert Level.named("warning") is Level.named("WARN") is Level.WARN
