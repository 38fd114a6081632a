"""Names that are left out because they can have no value have none."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relayscope.sanitizer import Rules, Sanitizer
from relayscope.sanitizer.names import continuation
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.suspicion import suspicion
from tests.bench.text_kinds import KINDS
from tests.sanitizer.samples import UNTIMED, texts

RULES = Rules.default()
QUICK = Sanitizer.from_rules(RULES)
THOROUGH = Sanitizer.from_rules(RULES)

CORPUS = [
    path
    for path in (Path(__file__).parents[1] / "corpus").rglob("*")
    if path.suffix in {".txt", ".lines"} and path.name != "known.txt"
]

_PIECES = [
    *("password", "token", "api_key", "Authorization", "PWD", "secret", "pass", "token_type", "x"),
    *("ENV ", "setenv ", "#define ", "--", "<", "name=", "INSERT INTO t (", "-", "$", ".", "_"),
    *(
        " of a window is a secret that a user keeps",
        " is ",
        " for bob is: ",
        " was set to ",
        "is now",
    ),
    *(" ", "  ", "\t", "\n", "\r\n", "=", ": ", ":", " = ", ":=", "=>", "(", ")", ", ", ",", ";"),
    *("[", "]", "{", "}", "<b>", "</b>", "</td><td>", "|", "**", "`", '"', "'", '\\"', "\\n", "\\"),
    *(
        "hunter2x9",
        "abc",
        "12",
        "var(--x)",
        "get(x);",
        "get('x')",
        "a.b(c, d)",
        ") VALUES (",
        "value",
    ),
    *(
        "%22",
        "%3D",
        "%20",
        "&quot;",
        "&lt;",
        "\\u0022",
        "\\u003d",
        "\x1b[0m",
        "é",
        "\u2502",
        "\uff1a",
    ),
    *(" vQ9!rT2xLm ", " k3y77c0e1b24", " 482913 ", "482913 is your ", " is your ", "code", "}"),
    *(
        "- value: hunter2x9\n  name: ",
        "{value: hunter2x9, name: ",
        " \u2192 ",
        " <- ",
        " || ",
        "::new(",
    ),
    *(
        "Secret",
        "Credentials",
        ") SELECT ",
        "<tr><th>",
        "</th></tr><tr><td>",
        "</td></tr>",
        " string(9) ",
    ),
    *(
        " or 'hunter2x9'",
        '": "hunter2x9"',
        "\nvalue: hunter2x9",
        "one two three four five six seven ",
    ),
    *(
        ", get(",
        '", "x": ',
        '"}',
        "INTO t (",
        " needs a ",
        "482913 is the ",
        'os.getenv("X")\n',
        'str("hunter2x9")\n',
    ),
    *("(user: bob, ", ": string", ":str", ": bytes, ", ": any) => ", "): ", ", port: 1", "f("),
]

hostile = st.lists(st.sampled_from(_PIECES), min_size=2, max_size=16).map("".join)


@contextmanager
def everything_is_kept() -> Iterator[None]:
    """No name is left out, whatever stands around it and however it is spelled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(continuation, "_CONTINUATION", re.compile(rb"[A-Za-z0-9_.$-]{0,512}+()()"))
        patch.setattr(continuation, "_GOES_ON", re.compile(b""))
        patch.setattr(suspicion, "_JOINING", re.compile(b""))
        patch.setattr(continuation._Strings, "quiet_until", lambda *_: 0)  # noqa: SLF001 - to hold it against nothing
        yield


def same(text: str) -> None:
    """Compare what becomes of a text, also in a message and in a message in it."""
    message = json.dumps({"a": {"text": text}}, ensure_ascii=False)
    for each in (text, message, json.dumps([message, 1])):
        quick = QUICK.text(each)
        with everything_is_kept():
            assert quick == THOROUGH.text(each)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("INSERT INTO some_users (password, f(x) VALUES ('hunter2x9', 1)", "hunter2x9"),
        ('{"text": "Log in: 482913 is the access token", "x": 1}', "482913"),
        ('password = str("hunter2x9")\n', "hunter2x9"),
        ('auth=HTTPBasicAuth("bob", "hunter2x9")\n', "hunter2x9"),
        ('password = get("X") or "hunter2x9"\n', "hunter2x9"),
        ("- value: hunter2x9\n  name:  Secret%20", "hunter2x9"),
        ("- value: hunter2x9\n  name:  Secret ", "hunter2x9"),
        ("- value: hunter2x9\n  name:  password}", "hunter2x9"),
        ("482913 is the access token ", "482913"),
        ("`482913 is the access token%20", "482913"),
    ],
)
def test_what_else_stands_around_a_name_makes_a_value_of_it(text: str, secret: str) -> None:
    """A parameter, the end of a member or a call is none, but in these places."""
    same(text)
    assert secret in text
    assert secret not in QUICK.text(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"tools": [{"description": "Returns the size of a page; needs a token.", "name": "x"}]}',
        "        return encoder.matches(password, user.getPassword());\n    }",
        'def f():\n    token = self.read("X", os.getenv("Y"))\n    return 1\n',
        "export const f = async (a: Request<A>, token: string): Promise<B[]> => {",
        "    def log_in(self, password: str, port: int = 1) -> None:\n",
    ],
)
def test_what_no_value_can_follow_needs_no_second_look(text: str) -> None:
    """Descriptions of tools, parameters and calls are decided by the first look."""
    suspicions = suspicion.Suspicions(RULES.patterns, Names(RULES.keys, RULES.harmless_endings, ()))
    assert suspicions.of(text) is None
    same(text)


@pytest.mark.parametrize(
    "text", ["token=a.b(c, d)\\npassword x", "x token = a.b(c, d)\\r\\nhello you"]
)
def test_a_call_ends_its_line_also_where_a_line_break_is_written_as_an_escape(text: str) -> None:
    """Source code that is printed as one string is source code, for both looks."""
    same(text)
    assert QUICK.text(text) is text


@UNTIMED
@given(st.one_of(hostile, texts))
@example("token=a.b(c, d)\\npassword x")
@example("- value: hunter2x9\n  name:  Secret%20")
@example("482913 is the access `token` ")
def test_names_that_are_left_out_have_no_value(text: str) -> None:
    """Looking at every name finds nothing more."""
    same(text)


@pytest.mark.parametrize(
    "message", ['{"x":"%s=hunter2x9k1"}', '{"x": "{\\"%s\\": \\"hunter2x9k1\\"}"}']
)
def test_a_tab_as_json_writes_it_parts_no_name(message: str) -> None:
    """It stands between two words of one, where a line break would not."""
    assert "hunter2x9k1" not in QUICK.text(message % "api\\tkey")
    assert "hunter2x9k1" in QUICK.text(message % "api\\nkey")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("secret", [False, True])
def test_no_kind_of_text_loses_a_finding(kind: str, secret: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The same on what MCP carries."""
    for size in (300, 6000):
        same(KINDS[kind].text(Random(size), size, secret=secret))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_no_text_of_the_corpus_loses_a_finding(path: Path) -> None:
    """The same on each text of the corpus."""
    text = path.read_text(encoding="utf-8").replace("<<", "").replace(">>", "").replace("^", "")
    pieces = re.split(r"(?m)^%%.*\n", text) if path.suffix == ".txt" else text.splitlines()
    for piece in pieces:
        same(piece)
