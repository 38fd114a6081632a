"""Values in columns: CSV, tables with bars, statements of SQL."""

import pytest

from relayscope.sanitizer import Sanitizer
from tests.sanitizer.samples import CANARY

SANITIZER = Sanitizer.default()


@pytest.mark.parametrize(
    "text",
    [
        "user,password,email\nbob,SECRET,b@x",
        "user,email,password\nbob,b@x,SECRET\nal,a@x,SECRET",
        '"user","password"\n"bob","SECRET"',
        "user;password\nbob;SECRET",
        "user\tpassword\nbob\tSECRET",
        "| user | password |\n|---|---|\n| bob | SECRET |",
        "| user | password |\n|:---|:---:|\n| bob | `SECRET` |",
        " id | user | password \n----+------+---------\n  1 | bob  | SECRET\n(1 row)",
        "+----+----------+\n| id | password |\n+----+----------+\n|  1 | SECRET |\n+----+------+",
        "password | SECRET",
        "INSERT INTO users (name, password) VALUES ('bob', 'SECRET')",
        "INSERT INTO users (password, name) VALUES ('SECRET','bob'), ('SECRET', 'x');",
        "INSERT INTO `users` (`id`, `password`, `x`) VALUES (1, 'SECRET', NOW());",
        "COPY public.users (id, password, x) FROM stdin;\n1\tSECRET\tb\n2\tSECRET\tc\n\\.",
    ],
)
@pytest.mark.parametrize("secret", ["hunter2", CANARY, "Xy7!kk9#pQ"])
def test_a_value_in_a_column_with_a_sensitive_name_is_found(text: str, secret: str) -> None:
    """It goes from every row."""
    marked = text.replace("SECRET", secret)
    cleaned = SANITIZER.text(marked)
    assert secret not in cleaned
    assert cleaned.split("[REDACTED")[0] == marked[: len(cleaned.split("[REDACTED")[0])]
    assert SANITIZER.text(cleaned) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "| Parameter | Type | About |\n|---|---|---|\n| token | string | The token to use |\n",
        "Send the token, then wait,\nand ask for a cookie, or two,\n",
        "f(token, password, x)\ng(a, b, c)\n",
        "SELECT id, password FROM users",
        "CREATE TABLE users (\n  id int,\n  password varchar(255),\n  token text\n)",
    ],
)
def test_what_only_looks_like_a_table_is_left_alone(text: str) -> None:
    """Sentences with commas, argument lists and descriptions have no column of secrets."""
    assert SANITIZER.text(text) is text
