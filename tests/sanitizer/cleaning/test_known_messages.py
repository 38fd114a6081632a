"""Long messages that were looked into a moment ago: as quick as they are safe."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.sanitizer import Rules, Sanitizer
from relayscope.sanitizer.suspicion.suspicion import Suspicions
from tests.bench.text_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = json.loads(KINDS["Python source"].text(Random(1), 20_000, secret=False))["result"]
SECRET = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the texts that were looked into."""
    seen: list[int] = []
    of: Callable[..., object] = Suspicions.of

    def noting(self: Suspicions, text: str, *others: object) -> object:
        seen.append(len(text))
        return of(self, text, *others)

    monkeypatch.setattr(Suspicions, "of", noting)
    return seen


def message(identifier: object, result: object = SOURCE) -> str:
    """A message with the same result, and its own id."""
    return json.dumps({"jsonrpc": "2.0", "id": identifier, "result": result})


def recorded(sanitizer: Sanitizer, text: str) -> object:
    """What a host keeps of a text, which it asks about before."""
    assert not sanitizer.is_dear(text)
    return sanitizer.record({}, text)[1]


def test_a_clean_text_is_looked_into_once(looks: list[int]) -> None:
    """Whoever asks whether it is dear does not pay for it twice."""
    text = message("a", {"content": [{"type": "text", "text": "A plain word. " * 2000}]})
    assert recorded(Sanitizer.default(), text) is text
    assert looks == [len(text)]


def test_what_a_relay_sends_on_is_not_looked_into_again(looks: list[int]) -> None:
    """The same message with another number for its id is known, but for its beginning."""
    sanitizer = Sanitizer.default()
    recorded(sanitizer, message(7))
    looks.clear()
    text = message(123_456_789)
    assert recorded(sanitizer, text) is text
    assert sum(looks) < 1000


@given(st.integers(0, 25_000), st.sampled_from([7, "b", 4111_1111_1111_1111, 999_999_999]))
def test_a_message_that_differs_is_looked_into(place: int, identifier: object) -> None:
    """One with a secret anywhere, or in its id, is cleaned, whatever is known of one like it."""
    sanitizer = Sanitizer.default()
    recorded(sanitizer, message(1))
    text = message(identifier)
    position = place % len(SOURCE["content"][0]["text"])
    said = SOURCE["content"][0]["text"]
    spoilt = f"{said[:position]}\n{SECRET}\n{said[position:]}"
    other = message(identifier, {"content": [{"type": "text", "text": spoilt}]})
    assert SECRET not in str(recorded(sanitizer, other))
    assert recorded(sanitizer, text) == Sanitizer.default().record({}, text)[1]


def test_a_pattern_of_a_user_that_holds_the_id_is_found() -> None:
    """What is known of a message with another id says nothing of it."""
    rules = Rules.from_mapping(
        {"patterns": [{"name": "tenant", "pattern": '"id": 4[0-9]+, "result"'}]}
    )
    sanitizer = Sanitizer.from_rules(rules)
    first, second = message(7), message(42)
    assert recorded(sanitizer, first) is first
    assert '"id": 42' not in str(recorded(sanitizer, second))


def test_a_message_with_secrets_is_cleaned_from_what_is_known(looks: list[int]) -> None:
    """They are cut out of it each time, and counted, and looked for once."""
    sanitizer = Sanitizer.default()
    long = f"{'x ' * 10_000}{SECRET}\npassword={SECRET}\n{'y ' * 10_000}"
    spoilt = {"content": [{"type": "text", "text": long}]}
    for number in range(3):
        text = message(10**number, spoilt)
        expected = Sanitizer.default().text(text)
        looks.clear()
        assert recorded(sanitizer, text) == expected
        assert f'"id": {10**number},' in expected
        assert sanitizer.hits() == {"github-token": number + 1, "password": number + 1}
        assert number == 0 or sum(looks) < 1000


@pytest.mark.parametrize("said", ["token: str\n", f"{SECRET}\n"])
def test_what_is_cleaned_later_is_known_too(looks: list[int], said: str) -> None:
    """Another thread may clean a dear text after others have asked about theirs."""
    sanitizer = Sanitizer.default()
    result = {"content": [{"type": "text", "text": "x " * 10_000 + said + "y " * 10_000}]}
    sanitizer.is_dear(first := message(1, result))
    sanitizer.is_dear(message(2, {"content": [{"type": "text", "text": "z " * 10_000}]}))
    sanitizer.record({}, "something else")
    sanitizer.record({}, first)
    looks.clear()
    recorded(sanitizer, message(3, result))
    assert sum(looks) < 1000


@given(
    st.lists(st.sampled_from(["\n", "token=x7k1", SECRET, '"', "a b c. " * 900, "é"]), max_size=9)
)
def test_what_is_known_comes_to_what_a_search_would_find(parts: list[str]) -> None:
    """A message that crosses twice comes out the same both times, but for its id."""
    sanitizer = Sanitizer.default()
    result = {"content": [{"type": "text", "text": "".join(parts) + "x " * 9000}]}
    outs = [str(_cleaned(sanitizer, message(number, result))) for number in (1, 22)]
    assert outs[1] == outs[0].replace('"id": 1,', '"id": 22,', 1)


def _cleaned(sanitizer: Sanitizer, text: str) -> object:
    sanitizer.is_dear(text)
    return sanitizer.record({}, text)[1]


def test_a_message_with_a_secret_at_its_beginning_is_never_known() -> None:
    """A secret there may have to do with the id."""
    sanitizer = Sanitizer.default()
    spoilt = {"content": [{"type": "text", "text": f"{SECRET}\n" + "x " * 10_000}]}
    for number in range(3):
        text = message(number, spoilt)
        assert SECRET not in str(recorded(sanitizer, text))
        assert sum(sanitizer.hits().values()) == number + 1


def test_a_message_that_is_dropped_is_dropped_again_whatever_its_id() -> None:
    """All of it goes with its head, which may be longer or shorter."""
    pattern = {"name": "mine", "pattern": "hunter[^ ]x9", "action": "drop", "about": "mine"}
    sanitizer = Sanitizer.from_rules(Rules.from_mapping({"patterns": [pattern]}))
    for identifier in (123_456, 1, 1_234_567):
        text = message(identifier)[:-1] + " hunter2x9"
        assert _cleaned(sanitizer, text) == "[DROPPED:mine]"


def test_a_long_message_with_half_a_character_is_cleaned() -> None:
    """It has no UTF-8, and its secrets go all the same, where nothing makes it storable before."""
    sanitizer = Sanitizer.from_rules(Rules.from_mapping({"steps": ["keys", "patterns"]}))
    half = json.loads('"\\ud83d"')
    text = message(1)[:-1] + f', "a": "{half}", "password": "hunter2x9"}}'
    cleaned = str(_cleaned(sanitizer, text))
    assert "[REDACTED:password]" in cleaned
    assert "error" not in cleaned
