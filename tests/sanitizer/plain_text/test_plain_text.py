"""Secrets in text that is no JSON: each line shows what goes in and what comes out."""

import pytest

from relayscope.sanitizer import Sanitizer

SANITIZER = Sanitizer.default()

PASSWORD = "[REDACTED:password]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Assignments
        ("password=hunter2", f"password={PASSWORD}"),
        ("x password=hunter2, user=bob", f"x password={PASSWORD}, user=bob"),
        ("x password: hunter2 and more", f"x password: {PASSWORD} and more"),
        ("(password=hunter2) ok", f"(password={PASSWORD}) ok"),
        ("password=hun,ter;2)x next", f"password={PASSWORD} next"),
        ("x password='hunter 2' y", f"x password='{PASSWORD}' y"),
        ('x password="hunter \\" 2" y', f'x password="{PASSWORD}" y'),
        ('password="""hunter 2""" y', f"password={PASSWORD} y"),
        ("password=\"a\"'b'c y", f"password={PASSWORD} y"),
        ("password := hunter2\nx", f"password := {PASSWORD}\nx"),
        ("{'password': 'hunter2', 'a': 1}", f"{{'password': '{PASSWORD}', 'a': 1}}"),
        ("{password: hunter2, a: 1}", f"{{password: {PASSWORD}, a: 1}}"),
        ("API key: abc123", "API key: [REDACTED:api-key]"),
        ("Password=abc;Server=db;Pwd=xyz", f"Password={PASSWORD};Server=db;Pwd={PASSWORD}"),
        (f"x password{' ' * 5000}= hunter2 y", f"x password{' ' * 5000}= {PASSWORD} y"),
        # Lines of YAML, INI, shells: the value is all that follows
        ("a: 1\npassword: correct horse battery\nb: 2", f"a: 1\npassword: {PASSWORD}\nb: 2"),
        ("  - password: correct horse", f"  - password: {PASSWORD}"),
        ("export password = correct horse", f"export password = {PASSWORD}"),
        ("a:\n  token: |\n    abc\n    def\n  b: 1\n", "a:\n  token: [REDACTED:token]\n  b: 1\n"),
        ("token:\n  abc\nb: 1", "token:[REDACTED:token]\nb: 1"),
        # Headers
        ("Authorization: Digest username=x, response=y", "Authorization: [REDACTED:authorization]"),
        ("Cookie: a=b; c=d\r\nHost: x", "Cookie: [REDACTED:cookie]\r\nHost: x"),
        (
            'curl -H "Authorization: Bearer abc def" https://x',
            'curl -H "Authorization: [REDACTED:authorization]" https://x',
        ),
        ("HTTP/1.1 200 OK\r\nSet-Cookie: sid=1; Path=/\r\n\r\n", None),
        # Queries and forms
        ("GET /x?token=abc&y=1 HTTP/1.1", "GET /x?token=[REDACTED:token]&y=1 HTTP/1.1"),
        ("https://h/?a=1&api%5Fkey=abc#f", "https://h/?a=1&api%5Fkey=[REDACTED:api-key]"),
        ("https://h/?p%61ssword=abc&y=1", f"https://h/?p%61ssword={PASSWORD}&y=1"),
        ("grant_type=x&client_secret=abc&y=1", "grant_type=x&client_secret=[REDACTED:secret]&y=1"),
        # Command lines
        ("run --password hunter2 --v", f"run --password {PASSWORD} --v"),
        ("run --password=hunter2 --v", f"run --password={PASSWORD} --v"),
        ("run --api-key 'a b' x", "run --api-key '[REDACTED:api-key]' x"),
        # XML
        ("<password>hunter 2</password>", f"<password>{PASSWORD}</password>"),
        ('<add key="token" value="abc"/>', '<add key="token" value="[REDACTED:token]"/>'),
        ("name=token type=x value=abc y", "name=token type=x value=[REDACTED:token] y"),
        ('<ns:token a="1">abc</ns:token>', '<ns:token a="1">[REDACTED:token]</ns:token>'),
        # As Python prints it
        ("{'password': b'hunter2', 'a': 1}", f"{{'password': b'{PASSWORD}', 'a': 1}}"),
        ("User(password=SecretStr('hunter2'), a=1)", f"User(password={PASSWORD}, a=1)"),
        (
            "[(b'cookie', b'a=b'), (b'host', b'x')]",
            "[(b'cookie', b'[REDACTED:cookie]'), (b'host', b'x')]",
        ),
        # As HTML has it
        ("{&quot;token&quot;:&quot;abc&quot;}", "{&quot;token&quot;:&quot;[REDACTED:token]&quot;}"),
        # With comments
        ('{"token": /* no */ "abc", // x\n "password": // y\n "abc"}', None),
        # SQL
        ("CREATE USER bob PASSWORD 'abc'", "CREATE USER bob PASSWORD '[REDACTED:sql-password]'"),
        # JSON and its kin inside other text
        ('got {"password": "x", "a": 1} ok', f'got {{"password": "{PASSWORD}", "a": 1}} ok'),
        ("x password: {'a': 'b'} next", f"x password: {PASSWORD} next"),
        ('password={"a": "b"} next', f"password={PASSWORD} next"),
        ('{"my password (old)": hunter2}', f'{{"my password (old)": "{PASSWORD}"}}'),
        (
            'say "{\\"token\\": \\"abc\\"}" twice',
            'say "{\\"token\\": \\"[REDACTED:token]\\"}" twice',
        ),
        ('{"a": "b"}\n{"token": 5}\n', '{"a": "b"}\n{"token": "[REDACTED:token]"}\n'),
        (
            'data: {"token":"a"}\n\ndata: {"token":"b"}\n\n',
            'data: {"token":"[REDACTED:token]"}\n\ndata: {"token":"[REDACTED:token]"}\n\n',
        ),
        # Several at once
        (
            "token=abc ghp_16C7e42F292c6912E7710c838347Ae178B4a password: x",
            f"token=[REDACTED:token] [REDACTED:github-token] password: {PASSWORD}",
        ),
    ],
)
def test_a_secret_is_cut_out_of_plain_text(text: str, expected: str | None) -> None:
    """The value goes, as far as it reaches; what is around it stays."""
    cleaned = SANITIZER.text(text)
    if expected is None:
        assert "sid=1" not in cleaned
        assert "abc" not in cleaned
    else:
        assert cleaned == expected


def test_secrets_without_a_space_between_them_are_all_found() -> None:
    """A text that becomes a word of its own once its neighbour is gone is looked at again."""
    key = "AKIA" + "QYLPMN5HHHFPZAM2"
    cleaned = SANITIZER.text(f"dapi0123456789abcdef0123456789abcdef{key}")
    assert cleaned == "[REDACTED:platform-token][REDACTED:aws-access-key-id]"


def test_too_many_secrets_in_a_row_are_dropped_together() -> None:
    """Text that never settles is no accident."""
    tokens = "".join(f"dapi{'0123456789abcdef' * 2}AKIA{'A' * 15}{n}" for n in (2, 3, 4, 5, 6, 7))
    assert SANITIZER.text(tokens) == "[DROPPED:too-many]"


@pytest.mark.parametrize(
    "text",
    [
        'b.setPassword("hunter2x9")',
        "b.with_api_key('hunter2x9')",
        'std::string api_key{"hunter2x9"};',
        'variable "db_password" {\n  type = string\n  default = "hunter2x9"\n}\n',
        '#define API_KEY "hunter2x9"',
        '(setq api-key "hunter2x9")',
        'os.environ["API_KEY"] = "hunter2x9"',
        'rows[0]["password"] = "hunter2x9"',
        "password - hunter2x9",
        "Please set the password to 'hunter2x9' first",
        "NAME   TOKEN       AGE\nbob    hunter2x9   3d\n",
        "  name   password\n0  bob  hunter2x9\n",
        "\u2502 password  \u2502\n\u251c\u2500\u2500\u2524\n\u2502 hunter2x9 \u2502\n",
        "INSERT INTO [dbo].[users] ([name], [password]) VALUES (N'bob', N'hunter2x9')",
    ],
)
def test_what_is_handed_over_without_an_assignment_is_found(text: str) -> None:
    """Setters, initializers, definitions, indexes, dashes and columns have secrets too."""
    assert "hunter2x9" not in str(SANITIZER.value(text))


@pytest.mark.parametrize(
    "text",
    [
        'setPassword("")',
        "obj.setToken(token)",
        'form.setPassword("Enter your password")',
        'Token{Kind: "x"}',
        'struct Token { name: "hunter2x9" }',
        "#define TOKEN_SIZE 64",
        'rows[0]["name"] = "hunter2x9"',
        "password - required",
        "rename the token to 'identifier'",
        "NAME   TOKENS   AGE\nbob    12       3d\n",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    """A function, a size, a word and a count are no secrets."""
    assert SANITIZER.value(text) is text
