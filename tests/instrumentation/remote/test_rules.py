"""Rules that come from outside: they are read as what they are, or refused as a whole."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.instrumentation import Direction, Level, Levels, Rule
from relayscope.instrumentation.remote.rules import MOST, RemoteRules

OWN = Levels(Level.INFO, (Rule(Level.OFF, peer="*:9060"),), ("*:9061",))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
NAMES = st.sampled_from(
    ["id", "level", "by", "until", "direction", "host_logs", "peer", "method", "target", "more"]
)
RULES = st.lists(st.dictionaries(NAMES, JSON | st.sampled_from(["TRACE", "off", "sent"])))


def rules(*rule: dict[str, Any], shift: float = 0.0) -> RemoteRules:
    """Read rules."""
    return RemoteRules.read({"version": 1, "rules": list(rule)}, shift)


def test_a_level_for_all_messages_takes_the_place_of_the_process_s_own() -> None:
    """Its own narrower rules, and the peers that get no context, stay."""
    levels = rules({"level": "TRACE"}).over(OWN)

    assert levels == Levels(Level.TRACE, OWN.rules, OWN.uninjected)


def test_a_rule_about_some_messages_counts_before_the_process_s_own() -> None:
    """Also before a level for all messages, whichever was set first."""
    levels = rules(
        {"level": "DEBUG"},
        {"level": "TRACE", "peer": "*:90??", "method": "tools/*", "target": "a*"},
        {"level": "WARN", "direction": "sent"},
    ).over(OWN)

    assert levels.level is Level.DEBUG
    assert levels.rules == (
        Rule(Level.TRACE, "*:90??", "tools/*", "a*"),
        Rule(Level.WARN, direction=Direction.SENT),
        *OWN.rules,
    )


def test_of_two_levels_for_all_messages_the_first_counts_as_long_as_it_holds() -> None:
    """A level for some time comes before one without an end."""
    found = rules({"level": "TRACE", "until": 100.0}, {"level": "DEBUG"}, shift=-50.0)

    assert found.at(49.0).over(OWN).level is Level.TRACE
    assert found.at(49.0).next_end == 50.0
    assert found.at(50.0).over(OWN).level is Level.DEBUG


def test_the_host_s_log_records_have_a_level_of_their_own() -> None:
    """A rule about them changes no message, and one about messages not them."""
    levels = rules({"level": "ERROR", "host_logs": True}).over(OWN)
    assert (levels.level, levels.of_host_logs) == (Level.INFO, Level.ERROR)
    assert levels.rules == OWN.rules

    levels = rules({"level": "OFF", "peer": "x"}).over(OWN)
    assert levels.of_host_logs is Level.INFO


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({}, "rule 1: level is a text"),
        ({"level": "LOUD"}, "rule 1: unknown level 'LOUD'"),
        ({"level": "INFO", "weekday": "Monday"}, "rule 1: unknown name 'weekday'"),
        ({"level": "INFO", "direction": "up"}, "rule 1: direction is sent or received"),
        ({"level": "INFO", "until": float("nan")}, "rule 1: until is a number"),
        ({"level": "INFO", "peer": "x" * 1000}, "rule 1: peer is a text of up to 256"),
        ({"level": "INFO", "by": "a\x1b[2J"}, "rule 1: by is a text"),
    ],
)
def test_what_is_wrong_is_said(rule: dict[str, Any], why: str) -> None:
    """With the number of the rule, and what to do."""
    with pytest.raises(ValueError, match=r".") as error:
        rules(rule)

    assert str(error.value).startswith(why)


def test_more_rules_than_a_message_has_time_for_are_refused() -> None:
    """A process looks through them for each message."""
    with pytest.raises(ValueError, match=f"up to {MOST} rules"):
        rules(*[{"level": "INFO"}] * (MOST + 1))


@given(RULES | JSON)
def test_whatever_is_offered_is_rules_or_refused(content: Any) -> None:
    """Nothing else is raised, and what is read can be used."""
    try:
        found = RemoteRules.read({"version": 1, "rules": content}, 0.0)
    except ValueError:
        return
    levels = found.at(0.0).over(OWN)
    assert levels.of_message("peer", Direction.SENT, "tools/call", "add") in Level
