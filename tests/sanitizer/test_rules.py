"""A user's configuration: what it can say, and what it is told when it is wrong."""

from typing import Any

import pytest

from relayscope.sanitizer import Rules, RulesError, Sanitizer


def _sanitizer(mapping: dict[str, Any]) -> Sanitizer:
    return Sanitizer.from_rules(Rules.from_mapping(mapping))


def test_a_users_rules_stand_beside_the_default_ones() -> None:
    """Names and patterns of one's own hit, with their own actions; the others still do."""
    sanitizer = _sanitizer(
        {
            "keys": [{"name": "employee", "contains": ["employee number"], "ends": ["badge"]}],
            "patterns": [{"name": "ticket", "pattern": r"\bTCK-([0-9]{8})\b", "action": "drop"}],
        }
    )
    assert sanitizer.attributes({"employeeNumber": 12, "my_badge": "x", "badge_color": "red"}) == {
        "employeeNumber": "[REDACTED:employee]",
        "my_badge": "[REDACTED:employee]",
        "badge_color": "red",
    }
    assert sanitizer.text("see TCK-12345678") == "[DROPPED:ticket]"
    assert sanitizer.text('{"a":"see TCK-12345678","b":1}') == '{"a":"[DROPPED:ticket]","b":1}'
    assert sanitizer.text("password=x") == "password=[REDACTED:password]"


def test_a_pattern_with_quotes_and_spaces_is_found_in_json_too() -> None:
    """Without keywords the search must not depend on how a text is written."""
    sanitizer = _sanitizer({"patterns": [{"name": "owner", "pattern": 'owner "([a-z ]+)"'}]})
    assert sanitizer.text('{"m": "owner \\"jo doe\\""}') == '{"m": "owner \\"[REDACTED:owner]\\""}'


def test_a_pattern_may_say_what_does_not_stand_before_it() -> None:
    """The one anchor that has a meaning inside other text, as RE2 cannot look behind."""
    sanitizer = _sanitizer(
        {"patterns": [{"name": "order", "pattern": r"(?:\A|[^0-9.])([0-9]{3})\b"}]}
    )
    assert sanitizer.text("123 0.456 1789") == "[REDACTED:order] 0.456 1789"


def test_expressions_may_be_written_on_several_lines() -> None:
    """Line breaks, and the blanks around them, are no part of a pattern or an allowed value."""
    pattern = """
      \\b(?:
        TCK-
        |TICKET[ ]
      )([0-9]{8})\\b
    """
    sanitizer = _sanitizer(
        {
            "patterns": [{"name": "ticket", "pattern": pattern}],
            "allow": {"values": ["12345678\n  |00000000\n"]},
        }
    )
    assert sanitizer.text("TCK-87654321 TICKET 00000001") == (
        "TCK-[REDACTED:ticket] TICKET [REDACTED:ticket]"
    )
    assert sanitizer.text("TCK-12345678 TICKET 00000000") == "TCK-12345678 TICKET 00000000"


def test_default_rules_can_be_switched_and_changed() -> None:
    """Off, on, and with another action, each by its name."""
    sanitizer = _sanitizer(
        {"disable": ["password"], "enable": ["email"], "actions": {"token": "drop", "jwt": "hash"}}
    )
    assert sanitizer.text("password=x") == "password=x"
    assert "ada@" not in sanitizer.text("to ada@example.org")
    assert sanitizer.text("token=x") == "token=[DROPPED:token]"


def test_mcps_session_id_can_be_hashed_as_documented() -> None:
    """The line that RULES.md gives for it does it."""
    rule = {"name": "mcp-session", "ends": ["mcp session id"], "action": "hash"}
    sanitizer = _sanitizer({"keys": [rule]})
    assert "abc" not in str(sanitizer.attributes({"mcp.session.id": "abc"}))
    assert "abc" not in sanitizer.text("POST /\nMcp-Session-Id: abc\n")


def test_harmless_endings_can_be_replaced() -> None:
    """The user says which last words make a name harmless."""
    sanitizer = _sanitizer({"harmless_endings": ["colour"]})
    assert sanitizer.attributes({"token_colour": "x", "token_type": "x"}) == {
        "token_colour": "x",
        "token_type": "[REDACTED:token]",
    }


def test_allow_lists_let_through() -> None:
    """Names as written; secrets that match from end to end."""
    sanitizer = _sanitizer({"allow": {"names": ["my.token"], "values": ["demo-[a-z]+"]}})
    assert sanitizer.attributes({"my.token": "x"}) == {"my.token": "x"}
    assert sanitizer.attributes({"my_token": "x"}) == {"my_token": "[REDACTED:token]"}
    assert sanitizer.text('{"password": "demo-abc"}') == '{"password": "demo-abc"}'
    assert sanitizer.text('{"password": "demo-abc1"}') == '{"password": "[REDACTED:password]"}'


def test_steps_can_be_left_out() -> None:
    """A step that is not listed does not run."""
    sanitizer = _sanitizer({"steps": ["patterns"]})
    assert sanitizer.text("password=hunter2\0") == "password=hunter2\0"
    assert sanitizer.text("AKIAQYLPMN5HHHFPZAM2") == "[REDACTED:aws-access-key-id]"


@pytest.mark.parametrize(
    ("mapping", "field", "reason"),
    [
        ([], "rules", "must be a mapping, not a list"),
        ({"kyes": []}, "kyes", "is no field here; there are: "),
        ({"keys": {}}, "keys", "must be a list, not a mapping"),
        ({"keys": ["x"]}, "keys[0]", "must be a mapping, not text"),
        ({"keys": [{"contains": ["a"]}]}, "keys[0].name", "is missing"),
        ({"keys": [{"name": "a"}]}, "keys[0].contains", "is missing (or give `ends`)"),
        ({"keys": [{"name": "A b", "ends": ["a"]}]}, "keys[0].name", "must be lower-case letters"),
        ({"keys": [{"name": "a", "ends": ["B_c"]}]}, "keys[0].ends[0]", "must be lower-case words"),
        ({"keys": [{"name": "a", "ends": ["b*"]}]}, "keys[0].ends[0]", "only `excepts`"),
        ({"keys": [{"name": "token", "ends": ["a"]}]}, "keys[0].name", "'token' is taken"),
        ({"keys": [{"name": "a", "ends": ["a"], "x": 1}]}, "keys[0].x", "is no field here"),
        ({"patterns": [{"name": "a", "pattern": "("}]}, "patterns[0].pattern (a)", "missing ): ("),
        ({"patterns": [{"name": "a", "pattern": "a*"}]}, "patterns[0].pattern (a)", "empty text"),
        ({"patterns": [{"name": "a", "pattern": "\n "}]}, "patterns[0].pattern (a)", "empty text"),
        ({"patterns": [{"name": "a", "pattern": "^a"}]}, "patterns[0].pattern (a)", "anchors"),
        ({"patterns": [{"name": "a", "pattern": r"a\z"}]}, "patterns[0].pattern (a)", "anchors"),
        ({"patterns": [{"name": "a", "pattern": r"(?=a)"}]}, "patterns[0].pattern (a)", "(?="),
        ({"patterns": [{"name": "a", "pattern": 5}]}, "patterns[0].pattern", "must be text, not"),
        (
            {"patterns": [{"name": "a", "pattern": "a", "check": "x"}]},
            "patterns[0].check",
            "is none of: address, basic, block, card, digit, mixed",
        ),
        (
            {"patterns": [{"name": "a", "pattern": "a", "action": "x"}]},
            "patterns[0].action",
            "is none of: redact, hash, drop",
        ),
        (
            {"patterns": [{"name": "a", "pattern": "a"}, {"name": "a", "pattern": "b"}]},
            "patterns[1].name",
            "'a' is taken",
        ),
        (
            {"patterns": [{"name": "a", "pattern": "a", "samples": ["b"]}]},
            "patterns[0].samples[0]",
            "does not hit: b",
        ),
        (
            {"keys": [{"name": "a", "ends": ["a"], "samples": ["xa"]}]},
            "keys[0].samples[0]",
            "does not hit: xa",
        ),
        ({"disable": ["x"]}, "disable[0]", "there is no default rule 'x'"),
        ({"actions": {"x": "drop"}}, "actions.x", "there is no default rule 'x'"),
        ({"actions": {"jwt": "x"}}, "actions.jwt", "is none of: redact, hash, drop"),
        (
            {"steps": ["x"]},
            "steps[0]",
            "is none of: normalize, binary, keys, patterns, allow, truncate",
        ),
        ({"allow": {"values": ["["]}}, "allow.values[0]", "missing ]"),
        ({"limits": {"text": 5}}, "limits.text", "must be from 64 to"),
        ({"limits": {"depth": True}}, "limits.depth", "must be a whole number, not true or false"),
        ({"hash": {"key_file": "/nowhere/keys"}}, "hash.key_file", "No such file"),
        ({"hash": {"keys": [{"id": "a", "key": "x"}]}}, "hash.keys[0].key", "at least 16"),
        ({"hash": {"keys": [{"id": "a b", "key": "x" * 16}]}}, "hash.keys[0].id", "an id is"),
    ],
)
def test_an_error_names_the_field_and_the_reason(mapping: Any, field: str, reason: str) -> None:
    """The user who made the mistake can find and mend it."""
    with pytest.raises(RulesError) as caught:
        Rules.from_mapping(mapping)
    assert caught.value.field == field
    assert reason in caught.value.reason
    assert str(caught.value) == f"{field}: {caught.value.reason}"
    assert not caught.value.retryable


def test_an_error_never_shows_a_key() -> None:
    """A key that is too short is still a key."""
    with pytest.raises(RulesError) as caught:
        Rules.from_mapping({"hash": {"keys": [{"id": "a", "key": "hunter2"}]}})
    assert "hunter2" not in str(caught.value)


def test_patterns_that_are_too_large_together_are_refused_where_re2_searches(
    without_hyperscan: None,
) -> None:
    """A search that does not fit its memory would find nothing, silently."""
    with pytest.raises(RulesError, match="too large together"):
        _sanitizer({"patterns": _LARGE})


def test_patterns_that_are_large_together_are_found() -> None:
    """However long what a pattern describes, and however many there are, it is found."""
    secret = "x7" + "a" * 900 + "1" * 900 + "w" * 900
    assert _sanitizer({"patterns": _LARGE}).text(f"see {secret}.") == "see [REDACTED:p7]."


_LARGE = [
    {"name": f"p{n}", "pattern": f"x{n}[a-z]{{900}}[0-9]{{900}}\\w{{900}}"} for n in range(200)
]
