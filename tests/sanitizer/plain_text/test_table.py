"""Values in columns: CSV, tables with bars, statements of SQL."""

import pytest

from relayscope.sanitizer import Sanitizer
from tests.sanitizer.replacing import SECRETS, assert_secret_goes

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
        'user,"x"\n"host","user","password"\n"db","bob","SECRET"',
        "<tr><th>user</th><th>password</th></tr>\n<tr><td>bob</td><td>SECRET</td></tr>",
        "INSERT INTO accounts (id, api_key) SELECT 1, 'SECRET'",
        "COPY public.users (id, password, x) FROM stdin;\n1\tSECRET\tb\n2\tSECRET\tc\n\\.",
    ],
)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_value_in_a_column_with_a_sensitive_name_is_found(text: str, secret: str) -> None:
    """It goes from every row."""
    assert_secret_goes(SANITIZER, text, secret)


@pytest.mark.parametrize(
    "text",
    [
        "| Parameter | Type | About |\n|---|---|---|\n| token | string | The token to use |\n",
        "Send the token, then wait,\nand ask for a cookie, or two,\n",
        "f(token, password, x)\ng(a, b, c)\n",
        "SELECT id, password FROM users",
        "<tr><th>Password</th><th>Strength</th></tr><tr><td>none</td><td>weak</td></tr>",
        "CREATE TABLE users (\n  id int,\n  password varchar(255),\n  token text\n)",
    ],
)
def test_what_only_looks_like_a_table_is_left_alone(text: str) -> None:
    """Sentences with commas, argument lists and descriptions have no column of secrets."""
    assert SANITIZER.text(text) is text
