"""Parameters beside a statement of SQL."""

import json

import pytest

from relayscope.sanitizer import Sanitizer, Value

SANITIZER = Sanitizer.default()


@pytest.mark.parametrize(
    "text",
    [
        'cur.execute("UPDATE users SET password=%s WHERE id=%s", ["{}", "blue"])',
        "cur.execute('INSERT INTO t (name, password) VALUES (?, ?)', ('blue', '{}'))",
        'db.Exec("UPDATE users SET name = $2, api_key = $1", "{}", "blue")',
        "INSERT INTO t (name, password) VALUES (?, ?)\n[generated in 0.1s] ('blue', '{}')",
    ],
)
def test_only_the_parameter_of_a_sensitive_column_goes(text: str) -> None:
    """In source code and in logs, by its place or by its number."""
    cleaned = SANITIZER.text(text.replace("{}", "tangerine"))
    assert "tangerine" not in cleaned
    assert "blue" in cleaned


@pytest.mark.parametrize(
    "value",
    [
        ["UPDATE users SET password=%s, name=%s", ["tangerine", "blue"]],
        ["UPDATE users SET password=?, name=?", "tangerine", "blue"],
        {"sql": "UPDATE t SET token = $2 WHERE id = $1", "params": ["blue", "tangerine"]},
        {"query": "INSERT INTO t (id, token) VALUES (?, ?)", "values": ["blue", "tangerine"]},
    ],
)
def test_a_list_of_parameters_in_json_is_read(value: Value) -> None:
    """It is the next item, or a member beside the statement."""
    for cleaned in (SANITIZER.text(json.dumps(value)), json.dumps(SANITIZER.value(value))):
        assert "tangerine" not in cleaned
        assert "blue" in cleaned


@pytest.mark.parametrize(
    "value",
    [
        {"sql": "SELECT name FROM t WHERE id = $1", "params": ["tangerine"]},
        {"text": "Update the password = ? in the form", "params": []},
        {"sql": "UPDATE t SET token = $9", "params": ["tangerine"]},
    ],
)
def test_parameters_of_other_columns_stay(value: Value) -> None:
    """Nothing is known of them."""
    text = json.dumps(value)
    assert SANITIZER.text(text) is text


def test_a_statement_is_read_once() -> None:
    """However many sensitive columns it has, the work fits what its text allows."""
    columns = ", ".join(f"token{number} = ?" for number in range(100))
    text = 'db.run("UPDATE t SET COLUMNS", ["tangerine"]) '.replace("COLUMNS", columns) * 20
    assert "tangerine" not in SANITIZER.text(text)
