"""Payment card numbers among other numbers."""

import pytest

from relayscope.sanitizer import Sanitizer

SANITIZER = Sanitizer.default()
CARD = "[REDACTED:card-number]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("card 4111 1111 1111 1111 exp 12/27", f"card {CARD} exp 12/27"),
        ("4111 1111 1111 1111 12/27 123", f"{CARD} 12/27 123"),
        ("4111111111111111|12|2027|123", f"{CARD}|12|2027|123"),
        ("bob,4111111111111111,bob@x", f"bob,{CARD},bob@x"),
        ("cc=4111111111111111&x=1", f"cc={CARD}&x=1"),
        ("1. 3782-822463-10005.", f"1. {CARD}."),
        ("4111111111111111\n5500000000000004\n", f"{CARD}\n{CARD}\n"),
        ("4111 1111 1111 1111\n5500 0000 0000 0004\n", f"{CARD}\n{CARD}\n"),
    ],
)
def test_a_card_number_is_found_alone_and_among_cards(text: str, expected: str) -> None:
    """With its expiry beside it, in a list of cards, in any of the usual groupings."""
    assert SANITIZER.text(text) == expected


def test_each_of_several_cards_is_found_at_once() -> None:
    """A card that goes, or another number that does, makes no id of the next card."""
    one = '{"token":"x"},4111111111111111'
    marked = f'{{"token":"[REDACTED:token]"}},{CARD} {{"token":"[REDACTED:token]"}},"{CARD}"'
    assert SANITIZER.text(f"{one} {one}") == marked
    row = SANITIZER.text("password,card\n482913,4111111111111111\n")
    assert row == f"password,card\n[REDACTED:password],{CARD}\n"


@pytest.mark.parametrize(
    "text",
    [
        "0.4111111111111111",
        "4111111111111111.5",
        "$4111111111111111",
        "7 4111111111111111 9",
        "12, 4111111111111111",
        "1996 4111 1111 1111 1111 2024",
        "order-4111111111111111",
        "/users/4111111111111111",
        "4111111111111111-2222",
        '{"id":4111111111111111}',
        "[4111111111111111]",
    ],
)
def test_a_number_with_a_cards_digits_is_no_card_among_other_things(text: str) -> None:
    """Decimals, money, ids, rows of numbers and numbers of JSON stay, however well they check."""
    assert SANITIZER.text(text) is text


def test_a_number_of_a_value_is_no_card() -> None:
    """Only its name could tell."""
    assert SANITIZER.value({"n": 4111111111111111}) == {"n": 4111111111111111}
    assert SANITIZER.value({"cvv": 411}) == {"cvv": "[REDACTED:personal-number]"}
