"""Secrets in JSON text: only they change, and the result is still JSON."""

import json
from typing import Any

import pytest

from relayscope.sanitizer import Sanitizer

SANITIZER = Sanitizer.default()
TOKEN = "[REDACTED:token]"
PASSWORD = "[REDACTED:password]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Whatever the spelling around it
        (
            '{ "b":1.50e+3 ,\t"token" :\n"abc" , "a" : "\\u00e9\\/" }',
            f'{{ "b":1.50e+3 ,\t"token" :\n"{TOKEN}" , "a" : "\\u00e9\\/" }}',
        ),
        # Whatever the value
        ('{"token":"a\\"b\\\\"}', f'{{"token":"{TOKEN}"}}'),
        ('{"token":12.5}', f'{{"token":"{TOKEN}"}}'),
        ('{"token":{"a":["b"]},"c":1}', f'{{"token":"{TOKEN}","c":1}}'),
        ('{"token":[1,"}",{"a":2}]}', f'{{"token":"{TOKEN}"}}'),
        (
            '{"token":true,"secret":null,"password":""}',
            '{"token":true,"secret":null,"password":""}',
        ),
        ('{"token":{},"secret":[ ]}', '{"token":{},"secret":[ ]}'),
        # Whatever the spelling of the name
        ('{"pass\\u0077ord":"a"}', f'{{"pass\\u0077ord":"{PASSWORD}"}}'),
        ('{"\\u0070\\u0061\\u0073\\u0073\\u0077\\u0064":"a"}', None),
        ('{"PaSs-WoRd":"a"}', f'{{"PaSs-WoRd":"{PASSWORD}"}}'),
        ('{"deep":[[{"x":{"User.Password":"a"}}]]}', None),
        # Whatever stands before it
        ('{"host":"db","password":"a"}', f'{{"host":"db","password":"{PASSWORD}"}}'),
        # A name in a sibling
        ('{"name":"API_KEY","value":"a"}', '{"name":"API_KEY","value":"[REDACTED:api-key]"}'),
        ('{"value":"a","key":"API_KEY"}', '{"value":"[REDACTED:api-key]","key":"API_KEY"}'),
        (
            '{"key":"password","value":{"stringValue":"a"}}',
            f'{{"key":"password","value":"{PASSWORD}"}}',
        ),
        # An option of a command line
        ('["run","--token","a","b"]', f'["run","--token","{TOKEN}","b"]'),
        ('["run","--token","--verbose","b"]', '["run","--token","--verbose","b"]'),
        # A list of pairs
        ('[["host","a"],["cookie","b"]]', '[["host","a"],["cookie","[REDACTED:cookie]"]]'),
        # Text in strings, in their own spelling
        ('{"m":"line\\npassword: a b\\nnext"}', f'{{"m":"line\\npassword: {PASSWORD}\\nnext"}}'),
        ('{"m":"\\nAKIAQYLPMN5HHHFPZAM2"}', '{"m":"\\n[REDACTED:aws-access-key-id]"}'),
        ('{"m":"https:\\/\\/u:pw@h\\/"}', '{"m":"https:\\/\\/u:[REDACTED:url-password]@h\\/"}'),
        ('{"m":"A\\u004bIAQYLPMN5HHHFPZAM2 x"}', '{"m":"[REDACTED:aws-access-key-id] x"}'),
        ('{"é😀":"é token=é😀 é"}', f'{{"é😀":"é token={TOKEN} é"}}'),
        ('{"m":"\\ud83d\\ude00 token=a \\ud83d\\ude00"}', None),
        # JSON in strings, to any sensible depth
        (
            '{"t":"{\\"pin\\":1,\\"token\\":5}"}',
            f'{{"t":"{{\\"pin\\":1,\\"token\\":\\"{TOKEN}\\"}}"}}',
        ),
        # A number is a card's by its name alone, a text by its looks
        ('{"n":4111111111111111,"pin":1}', '{"n":4111111111111111,"pin":1}'),
        (
            '{"n":4111111111111111,"cvv":1}',
            '{"n":4111111111111111,"cvv":"[REDACTED:personal-number]"}',
        ),
        ('{"n":"4111111111111111"}', '{"n":"[REDACTED:card-number]"}'),
        # Secrets in names
        ('{"AKIAQYLPMN5HHHFPZAM2":1}', '{"[REDACTED:aws-access-key-id]":1}'),
        # Not quite JSON, as people write it
        ('{"n":NaN,"token":"a","i":-Infinity}', f'{{"n":NaN,"token":"{TOKEN}","i":-Infinity}}'),
        ('"token=a"', f'"token={TOKEN}"'),
    ],
)
def test_only_the_secret_changes_in_json(text: str, expected: str | None) -> None:
    """Spaces, order, spelling of numbers and escapes stay, and it can still be parsed."""
    cleaned = SANITIZER.text(text)
    if expected is not None:
        assert cleaned == expected
    else:
        assert cleaned != text
    assert json.dumps(json.loads(cleaned)).count("[REDACTED") == cleaned.count("[REDACTED")


def test_a_tools_schema_keeps_what_it_says_about_a_secret() -> None:
    """`tools/list` stays readable; only samples of a sensitive argument go."""
    schema: dict[str, Any] = {
        "properties": {
            "api_key": {
                "type": "string",
                "description": "Your key",
                "default": "abc",
                "examples": ["abc", "abd"],
                "anyOf": [{"const": "abc"}, {"type": "null"}],
            },
            "limit": {"type": "integer", "default": 5},
            "token": "not a schema",
        }
    }
    both: list[Any] = [
        SANITIZER.value(schema),
        json.loads(SANITIZER.text(json.dumps(schema))),
    ]
    for cleaned in both:
        assert "abc" not in str(cleaned)
        assert "Your key" in str(cleaned)
        assert "not a schema" not in str(cleaned)
        assert cleaned["properties"]["limit"] == {"type": "integer", "default": 5}


def test_attributes_are_read_as_json_is() -> None:
    """Named values and options count in values of any kind, not only in text."""
    cleaned = SANITIZER.attributes(
        {
            "process.command_args": ["run", "--api-key", "abc", "x"],
            "headers": [["host", "abc"], ["x-api-key", "abc"]],
            "env": [{"name": "API_KEY", "value": "abc"}, {"name": "HOME", "value": "/root"}],
        }
    )
    assert cleaned == {
        "process.command_args": ["run", "--api-key", "[REDACTED:api-key]", "x"],
        "headers": [["host", "abc"], ["x-api-key", "[REDACTED:api-key]"]],
        "env": [
            {"name": "API_KEY", "value": "[REDACTED:api-key]"},
            {"name": "HOME", "value": "/root"},
        ],
    }


def test_names_that_become_equal_stay_apart() -> None:
    """Two secrets as names leave two members."""
    keys = ("AKIAQYLPMN5HHHFPZAM2", "AKIAQYLPMN5HHHFPZAM3")
    cleaned = SANITIZER.attributes(dict.fromkeys(keys, 1))
    assert list(cleaned) == ["[REDACTED:aws-access-key-id]", "[REDACTED:aws-access-key-id]#2"]


@pytest.mark.parametrize("behind", ["", ",", ', {"id": 1}'])
def test_what_looks_like_a_name_is_searched_itself(behind: str) -> None:
    """In damaged JSON a text with a sensitive name in it stands where a name could (D1)."""
    text = '{"token":"abc"},"{\\"token\\":\\"kanarienvogel\\"}"' + behind
    assert "kanarienvogel" not in SANITIZER.text(text)
