"""A record takes no more work than its length allows (D3), whatever its texts are made of."""

import json
import sys
from base64 import b64encode
from collections.abc import Callable
from random import randbytes
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relayscope.sanitizer import Rules, Sanitizer
from relayscope.sanitizer.allowance import Allowance
from relayscope.sanitizer.findings import TooManyFindings
from tests.examples import examples
from tests.sanitizer.samples import CANARY, UNTIMED

RULES: Final = Rules.default()
SANITIZER: Final = Sanitizer.from_rules(RULES)
DROPPED: Final = "[DROPPED:too-many]"

# Each has a secret, or what could be one, every few characters; `#` becomes a number.
_PLAIN: Final = (
    *(f"token={CANARY}# ", f'{{"token":"{CANARY}#"}},', f"a#token={CANARY}#x "),
    *(f"password: {CANARY}#\n", f"amqp://u:{CANARY}#@h ", f"Bearer {CANARY}#abc "),
    *(f'{{"name":"token","value":"{CANARY}#"}},', f"<password>{CANARY}#</password>"),
)
# And these are spelled so that they have to be read in several ways; the last one is no secret.
_DENSE: Final = (
    *(f'"{{\\"token\\":\\"{CANARY}#\\"}}",', f'"tok\\u0065n":"{CANARY}#",'),
    f"é--token=\rpasswd====\\\\\\\\#{CANARY}",
)
# From the worst texts that a search has found: 7.4 to 10 calls for each character before all of
# their work was counted, 4.4 to 6 since.
_WORST: Final = (
    'eyJrefresh_token#user:glpat-hf_progressToken#","eyJ\rprogressToken","eyJ#progressToken#","',
    "#passwd--token=43#--token=4,#--token=4,%22--token=4\uff11,4Z#",
    'auth{"{{authZ@#}}x-api-keyauth=>%22#x-api-keyauth=>%22',
)
_ENCODED: Final = "cGFzc3dvcmQ9a2FuYXJpZW52b2dlbA== "
"""Decoded before it is known in which string it stands, so that all of the message goes."""


@pytest.mark.parametrize("unit", [*_DENSE, _ENCODED])
def test_a_text_that_is_secrets_and_little_else_goes_as_a_whole(unit: str) -> None:
    """Each secret takes some 20 µs, so there is an end to them before the text's."""
    sanitizer = Sanitizer.from_rules(RULES)
    assert sanitizer.text(_repeated(unit, 6000)) == DROPPED
    assert sanitizer.hits()["too-many"] > 0


@pytest.mark.parametrize("unit", _PLAIN)
def test_a_text_that_is_secrets_in_plain_writing_is_kept_without_them(unit: str) -> None:
    """Four thousand lines of an export are no attack."""
    cleaned = SANITIZER.text(_repeated(unit, 4000))
    assert CANARY not in cleaned
    assert cleaned.count("[REDACTED:") == 4000


@pytest.mark.parametrize("size", [100_000, 1_000_000])
def test_an_image_is_kept_as_what_it_was(size: int) -> None:
    """Reading it takes as long as its length says, though little of it is left."""
    data = b64encode(randbytes(size)).decode()
    content = {"type": "image", "mimeType": "image/png", "data": data}
    text = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"content": [content]}})
    for one in (text, f"payload of {text}"):
        assert f'"data": "[BINARY:image/png:{size}:' in SANITIZER.text(one)


@pytest.mark.parametrize("unit", [_DENSE[0], _DENSE[2]])
def test_only_the_string_of_a_message_goes_that_is_too_dense(unit: str) -> None:
    """The message is still JSON, and what stands beside the string is there, without secrets."""
    texts = [_repeated(unit, 4000), f"token={CANARY} and more"]
    message = {"id": 7, "result": {"content": [{"type": "text", "text": each} for each in texts]}}
    cleaned = json.loads(SANITIZER.text(json.dumps(message)))
    dense, sparse = (each["text"] for each in cleaned["result"]["content"])
    assert cleaned["id"] == 7
    assert dense == DROPPED
    assert sparse == "token=[REDACTED:token] and more"


def test_an_attribute_that_is_too_dense_takes_nothing_along() -> None:
    """The record's other attributes and its body are cleaned as ever."""
    attributes = {"dense": _repeated(_DENSE[0], 4000), "token": CANARY, "said": f"token={CANARY}"}
    assert SANITIZER.record({**attributes}, f"password={CANARY} is read") == (
        {"dense": DROPPED, "token": "[REDACTED:token]", "said": "token=[REDACTED:token]"},
        "password=[REDACTED:password] is read",
    )


def test_a_list_in_which_each_row_has_a_secret_is_kept() -> None:
    """Two hundred users with their tokens are no attack."""
    rows = [{"id": number, "name": f"user {number}", "token": CANARY} for number in range(200)]
    cleaned = SANITIZER.text(json.dumps({"rows": rows}))
    assert json.loads(cleaned) == {"rows": [{**row, "token": "[REDACTED:token]"} for row in rows]}
    lines = "".join(f"SERVICE_{number}_PASSWORD={CANARY}\n" for number in range(200))
    assert SANITIZER.text(lines) == lines.replace(CANARY, "[REDACTED:password]")


@settings(UNTIMED, max_examples=examples(20))
@given(
    st.lists(st.sampled_from((*_DENSE[:2], *_PLAIN)), min_size=1, max_size=3),
    st.integers(40, 600),
    st.booleans(),
)
@example([_DENSE[0]], 300, False)
def test_what_was_allowed_is_allowed_again(units: list[str], times: int, within: bool) -> None:  # noqa: FBT001 - as above
    """A cleaned text is shorter, and what is allowed for that suffices for what is left (D4)."""
    text = _repeated("".join(units), times // len(units))
    once = SANITIZER.text(json.dumps({"text": text, "id": 1}) if within else text)
    assert CANARY not in once
    assert SANITIZER.text(once) == once


@pytest.mark.usefixtures("without_hyperscan")
def test_a_text_goes_also_where_hyperscan_is_missing() -> None:
    """Work is counted, not timed: a slower search drops no more, and no less."""
    slow = Sanitizer.from_rules(RULES)

    @settings(UNTIMED, max_examples=examples(10))
    @given(st.sampled_from((*_DENSE, *_PLAIN)), st.integers(100, 500))
    def compare(unit: str, times: int) -> None:
        text = _repeated(unit, times)
        assert slow.text(text) == SANITIZER.text(text)

    compare()


@pytest.mark.parametrize("unit", _WORST)
def test_a_short_text_takes_few_calls_for_each_character_whatever_it_is(unit: str) -> None:
    """Names, hidden texts and second looks are counted by what they take, and calls tell that."""
    text = _repeated(unit, 4000 // len(unit))
    # Its own, because what others remember is forgotten now and then, with this text's names.
    sanitizer = Sanitizer.from_rules(RULES)
    sanitizer.text(text)
    calls = _calls(lambda: sanitizer.text(text))
    assert calls < 7 * len(text)


def test_half_of_what_was_left_stays_after_a_search_in_vain() -> None:
    """So the searches in vain take no more together than twice the first one."""
    allowance = Allowance.of("x" * 8000)
    works = [_spent_in_vain(allowance) for _ in range(30)]
    assert sum(works) <= 2 * works[0]


def test_a_text_that_was_cleaned_before_is_allowed_a_little_more() -> None:
    """The rest of a text can be read in other ways, and so take more than all of it took."""
    plain, cleaned = (
        _all_of(Allowance.of(text)) for text in ("x" * 800, "[REDACTED:x]" + "x" * 788)
    )
    assert plain < cleaned < 1.2 * plain


def test_what_a_text_is_allowed_is_less_when_it_has_become_shorter() -> None:
    """The rest of it has to fit into that."""
    for length in (999, 1000):
        allowance = Allowance.of("x" * 80_000)
        allowance.spend(10_000)
        if length < 1000:
            with pytest.raises(TooManyFindings):
                allowance.settle("x" * length, _takes_a_thousand)
        else:
            allowance.settle("x" * length, _takes_a_thousand)


def _calls(work: Callable[[], object]) -> int:
    """Count the functions that are called, Python's own among them."""
    calls = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def _all_of(allowance: Allowance) -> int:
    """Spend what an allowance has, and return how much that was."""
    works: list[int] = []

    def spend() -> None:
        while True:
            allowance.spend(1)
            works.append(1)

    with pytest.raises(TooManyFindings):
        spend()
    return len(works)


def _takes_a_thousand(allowance: Allowance) -> bool:
    def take() -> bool:
        allowance.spend(1000)
        return True

    return allowance.attempt(take) is True


def _spent_in_vain(allowance: Allowance) -> int:
    spent = 0

    def spend() -> None:
        nonlocal spent
        while True:
            allowance.spend(1)
            spent += 1

    assert allowance.attempt(spend) is None
    return spent


def _repeated(unit: str, times: int) -> str:
    return "".join(unit.replace("#", str(number)) for number in range(times))
