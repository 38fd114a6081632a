"""Secrets in forms that are made rather than written: names, places and encodings."""

import base64
import json
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from tests.sanitizer.corpus.texts import Example, names
from tests.sanitizer.places import PLACES
from tests.sanitizer.samples import CANARY, NAME_SAMPLES, OPTIONAL, PATTERN_SAMPLES

_SECRET: Final = "vQ9rT2xLm4kanarie"

_FORMS: Final[dict[str, Callable[[str], str]]] = {
    "JSON": lambda name: json.dumps({"a": 1, name: _SECRET}),
    "JSON, escaped": lambda name: json.dumps({"text": json.dumps({name: _SECRET})}),
    "environment": lambda name: f"export {name}={_SECRET}\n",
    "YAML": lambda name: f"a: 1\n{name}: {_SECRET}\nb: 2\n",
    "source": lambda name: f'    {name} = "{_SECRET}"\n',
    "query": lambda name: f"GET /x?a=1&{name}={_SECRET}&b=2 HTTP/1.1",
}
"""Ways to write a name and its value."""

_ENV: Final = f"DB_HOST=db\nDB_PASSWORD={_SECRET}\nLOG_LEVEL=info\n"
_JSON: Final = json.dumps({"user": "bob", "password": _SECRET})
_SOURCE: Final = f"import os\n\nHOST = 'db'\npassword = '{_SECRET}'\n" + "print(HOST)\n" * 12
_KEY: Final = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


_ENCODED: Final[dict[str, str]] = {
    "base64 of JSON": _base64(_JSON.encode()),
    "base64 of JSON, with line breaks": base64.encodebytes(
        json.dumps({"password": _SECRET, "x": "y" * 90}).encode()
    ).decode(),
    "base64 of .env": _base64(_ENV.encode()),
    "base64 of .env with a token": _base64(f"A=1\nX={_KEY}\n".encode()),
    "base64 of YAML": _base64(f"db:\n  host: db\n  password: {_SECRET}\n".encode()),
    "base64 of source, with line breaks, as GitHub sends files": json.dumps(
        {
            "name": "settings.py",
            "encoding": "base64",
            "content": base64.encodebytes(_SOURCE.encode()).decode(),
        }
    ),
    "base64 of .env, with line breaks, as GitLab sends files": json.dumps(
        {
            "file_name": ".env",
            "encoding": "base64",
            "content": base64.encodebytes((_ENV * 3).encode()).decode(),
        }
    ),
    **{
        f"base64 of .env, with {name}, outside JSON": "content="
        + base64.encodebytes(("A=" + "x" * 41 + "\n" + _ENV * 2).encode())
        .decode()
        .replace("\n", end)
        for name, end in {
            "escaped line breaks": "\\n",
            "line breaks escaped twice": "\\\\n",
            "line breaks as percent signs": "%0A",
            "line breaks as percent signs twice": "%250A",
            "line breaks as entities": "&#10;",
        }.items()
    },
    "a Wi-Fi code in percent signs three times": quote(quote(quote(f"x?q=WIFI:S:x;P:{_SECRET};;"))),
    "a Wi-Fi code in JSON in JSON in percent signs": quote(
        json.dumps({"a": json.dumps({"b": f"WIFI:T:WPA;S:office;P:{_SECRET};;"})})
    ),
    "a Wi-Fi code in entities in entities": "".join(
        f"&#38;#{ord(each)};" for each in f"WIFI:T:WPA;S:office;P:{_SECRET};;"
    ),
    "French in percent signs": f"q=mot%20de%20passe%3A%20{_SECRET}",
    "base64 of .env in a resource's blob": json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 3,
            "result": {
                "contents": [
                    {
                        "uri": "file:///app/.env",
                        "mimeType": "application/octet-stream",
                        "blob": _base64(_ENV.encode()),
                    }
                ]
            },
        }
    ),
    "base64 of JSON in a data: URI": f"data:application/json;base64,{_base64(_JSON.encode())}",
    "base64 of .env in a data: URI": f"data:text/plain;base64,{_base64(_ENV.encode())}",
    "base64 of a Kubernetes secret": json.dumps(
        {
            "kind": "Secret",
            "data": {"password": _base64(_SECRET.encode()), "user": _base64(b"bob")},
        }
    ),
    "base64 of UTF-16 JSON": _base64(_JSON.encode("utf-16")),
    "hex of JSON": _JSON.encode().hex(),
    "hex of JSON, in capitals": _JSON.encode().hex().upper(),
    "hex of JSON, as PostgreSQL's bytea": "\\x" + _JSON.encode().hex(),
    "hex of .env": _ENV.encode().hex(),
    "UTF-16 of JSON, read as Latin-1": _JSON.encode("utf-16-le").decode("latin-1"),
    "UTF-16 of .env, read as Latin-1": _ENV.encode("utf-16-be").decode("latin-1"),
    "percent signs": "q=%7B%22password%22%3A%22" + _SECRET + "%22%7D",
    "percent signs twice": "q=%257B%2522password%2522%253A%2522" + _SECRET + "%2522%257D",
    "\\u escapes": '{"\\u0070assw\\u006frd": "' + _SECRET + '"}',
    "\\x escapes": "b'\\x70assword=" + _SECRET + "'",
    "HTML entities": "&lt;password&gt;" + _SECRET + "&lt;/password&gt;",
    "JSON in JSON in JSON": json.dumps({"a": json.dumps({"b": _JSON})}),
}
_HIDDEN: Final = (
    _SECRET,
    _SECRET.encode().hex(),
    _SECRET.encode().hex().upper(),
    *(_base64(_SECRET[start:-3].encode())[:16] for start in range(3)),
    _KEY,
    "".join(f"&#38;#{ord(each)};" for each in _SECRET),
    "\0".join(_SECRET),
    "␀".join(_SECRET),
)
"""Forms in which the secret could still be read."""


def placements() -> list[Example]:
    """All of them."""
    return [*_named(), *_placed(), *_encoded()]


def _named() -> list[Example]:
    return [
        Example(f"name in {form}", name, write(name), (_SECRET,))
        for name in names()
        for form, write in _FORMS.items()
    ]


def _placed() -> list[Example]:
    samples = [
        *(
            (sample.rule, sample.text, sample.secret)
            for sample in PATTERN_SAMPLES
            if sample.rule not in OPTIONAL
        ),
        *((rule, json.dumps({name: CANARY}), CANARY) for rule, name in NAME_SAMPLES),
    ]
    examples = []
    for place, put in PLACES.items():
        for number, (rule, text, secret) in enumerate(samples):
            examples.append(Example(f"place: {place}", f"{rule} {number}", put(text), (secret,)))
    return examples


def _encoded() -> list[Example]:
    return [Example("encoded", name, text, _HIDDEN) for name, text in _ENCODED.items()]
