"""Members and rows of JSON that name each other: the secret goes, and what is none stays."""

import json
from typing import Any

import pytest

from relayscope.sanitizer import Sanitizer, Value

SANITIZER = Sanitizer.default()
SECRET = "vQ9rT2xLm"


@pytest.mark.parametrize(
    "value",
    [
        {"settingName": "db_password", "settingValue": SECRET},
        {"settingName": "db_password", "value": SECRET},
        {"value": SECRET, "note": {"a": [1]}, "name": "db_password"},
        {"type": "password", "value": SECRET},
        {"question": "Your password?", "answer": SECRET},
        {"name": "cookie", "values": [f"sid={SECRET}"]},
        {"name": "api_key", "in": "header", "example": SECRET},
        {"headers": ["Host", "x", "Authorization", f"Bearer {SECRET}"]},
        {"columns": ["token", "id", "secret"], "rows": [[SECRET, 1, SECRET]] * 40},
        {"data": [[1, SECRET]], "count": 1, "schema": [{"name": "id"}, {"name": "token"}]},
        {"a": [["token", "id", "b"], [SECRET, 1, 2]]},
        {"use": {"a": 1}, "d": SECRET, "kty": "EC"},
        {"kty": "RSA", "oth": [{"d": SECRET}]},
        {"id": "a", "api_key": "vQ9rT2x", "encoded": f"{SECRET}3rV8kqLw0Zd=="},
        {"code": f"{SECRET}3rV8kqLw0Zd", "state": "b", "code_verifier": "vQ9rT2x"},
        {"grant_type": "authorization_code", "client_secret": "vQ9r", "code": f"4/{SECRET}3rV8kq"},
        {"a": "-----BEGIN PRIVATE" + " KEY-----", "b": [SECRET + "A" * 16, "x"]},
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_names_its_neighbour_gives_it_away(value: Any) -> None:
    """As a value, as text, cut off behind the secret, and as text in text."""
    text = json.dumps(value)
    whole = [SANITIZER.value(value), SANITIZER.text(text), SANITIZER.text(json.dumps([text]))]
    assert SECRET not in str(whole)
    assert json.loads(str(whole[1])) == whole[0]
    if text.index(SECRET) > text.find("name") > 0:
        assert SECRET not in SANITIZER.text(text[: text.rindex(SECRET) + len(SECRET)])


def test_all_columns_of_a_table_are_read_in_one_go() -> None:
    """A table with many sensitive columns is no attack."""
    names = [f"token{number}" for number in range(40)]
    table = {"columns": names, "rows": [[f"{SECRET}{row}"] * 40 for row in range(40)]}
    cleaned = json.loads(SANITIZER.text(json.dumps(table)))
    assert cleaned == {"columns": names, "rows": [["[REDACTED:token]"] * 40] * 40}


def test_what_only_a_neighbour_makes_secret_stays_elsewhere() -> None:
    """Neither is a `code` a secret by itself, nor an error's beside one, nor in another object."""
    for value in (
        {"encoded": f"{SECRET}3rV8kqLw0Zd==", "code": f"{SECRET}3rV8kqLw0Zd"},
        {"client_secret": "", "code": "invalid_client", "message": "x"},
        [{"api_key": ""}, {"encoded": f"{SECRET}3rV8kqLw0Zd=="}],
    ):
        assert SANITIZER.text(json.dumps(value)) == json.dumps(value)


def test_members_beyond_the_object_name_nothing() -> None:
    """A value that belongs to another object stays."""
    value: Value = [{"value": SECRET}, {"name": "token"}, {"a": {"value": SECRET}, "name": "token"}]
    assert SANITIZER.value(value) is value


def test_a_keys_lines_end_where_the_key_does() -> None:
    """Strings behind the end of a key stay, and so do names between its lines."""
    begin, line = "-----BEGIN PRIVATE" + " KEY-----", SECRET + "A" * 16
    # The same line would be the key's again, wherever it stands.
    lines = (begin, line, "-----END X-----", f"B{line}")
    cleaned = SANITIZER.value([{"type": "text", "text": each} for each in lines])
    assert json.dumps(cleaned).count(SECRET) == 1
    assert json.dumps(cleaned).count('"type": "text"') == len(lines)
