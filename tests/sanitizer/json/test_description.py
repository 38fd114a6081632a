"""Mappings and lists below sensitive names, which describe a secret or hold one."""

import json
from typing import Any

import pytest

from relayscope.sanitizer import Sanitizer

SANITIZER = Sanitizer.default()


@pytest.mark.parametrize(
    "value",
    [
        {"auth": {"type": "none"}, "cookie": {"secure": True, "maxAge": 3600}},
        {"secrets": [{"name": "DB_PASSWORD", "version": 3, "created_at": "2026-11-01T10:00:00Z"}]},
        {"node_modules/cookie": {"version": "0.7.1", "engines": {"node": ">= 0.6"}}},
        {"token": {"color": {"primary": {"$value": "#0055ff", "$type": "color"}}}},
        {"token": {"font": {"$type": "fontFamily", "$value": "Inter"}}},
        {"token": {"symbol": "WETH", "decimals": 18, "name": "Wrapped Ether"}},
        {"errors": {"password": ["is too short", "can't be blank"]}},
        {"errors": {"password": {"message": "This field is required.", "code": "required"}}},
        {"credentials": {"status": "valid", "expires": "2026-12-01"}},
        {"token": {"id": 4711, "name": "ci", "revoked": False, "scopes": ["read", "write"]}},
    ],
)
def test_what_describes_a_secret_is_left_alone(value: dict[str, Any]) -> None:
    """As text and as a value: its members say that they are no secrets."""
    text = json.dumps(value)
    assert SANITIZER.text(text) is text
    assert SANITIZER.value(value) is value


@pytest.mark.parametrize(
    "value",
    [
        {"password": {"old": "SECRET", "new": "x"}},
        {"secret": {"type": "opaque", "value": "SECRET"}},
        {"cookie": {"name": "sid", "value": "SECRET"}},
        {"secrets": ["SECRET"]},
        {"token": {"type": "bearer", "access": {"x": ["SECRET"]}}},
        {"token": {"id": "SECRET"}},
        {"credentials": {"name": "x", "pin": 482913, "note": "SECRET"}},
        {"password": {"$value": "SECRET", "$type": "string"}},
    ],
)
@pytest.mark.parametrize("secret", ["hunter2x", "vQ9rT2xLm4"])
def test_one_member_that_may_be_secret_takes_all_of_them_along(
    value: dict[str, Any], secret: str
) -> None:
    """This holds for any other members."""
    text = json.dumps(value).replace("SECRET", secret)
    assert secret not in SANITIZER.text(text)
    assert secret not in repr(SANITIZER.value(json.loads(text)))
    assert "482913" not in SANITIZER.text(text)


@pytest.mark.parametrize(
    "value",
    [
        {"token": "Hello", "logprob": -0.31, "bytes": [72]},
        {"token": "quick", "start_offset": 4, "end_offset": 9},
        {"lemma": "pass", "token": "passes", "pos": "VERB"},
        {"token": "USDC", "balance": "12.5", "chain": "base"},
        {"token": "color.primary", "value": "#0055ff"},
        {"token": "if", "type": "keyword", "line": 3},
    ],
)
def test_a_token_of_a_text_a_coin_or_a_design_is_left_alone(value: dict[str, Any]) -> None:
    """Its neighbours tell what kind of token it is."""
    text = json.dumps(value)
    assert SANITIZER.text(text) is text
    assert SANITIZER.value(value) is value


@pytest.mark.parametrize(
    "value",
    [
        {"token": "letmein"},
        {"token": "letmein", "type": "bearer", "expires_in": 3600},
        {"user": "bob", "token": "letmein", "id": 7},
        {"token": "vQ9rT2xLm4", "position": 3},
        {"token": "letmein", "amount": 12},
        {"password": "letmein", "position": 3},
    ],
)
def test_a_token_without_such_neighbours_goes(value: dict[str, Any]) -> None:
    """A word alone could be a secret, and a random one always is."""
    for cleaned in (SANITIZER.text(json.dumps(value)), repr(SANITIZER.value(value))):
        assert "letmein" not in cleaned
        assert "vQ9rT2xLm4" not in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "imagePullSecrets:\n  - name: registry\n",
        "    secret:\n      secretName: app-credentials\n",
        "secrets: [db_password, api_key]\n",
        "secrets:\n  db_password:\n    environment: DB_PASSWORD\n",
        "bearerAuth:\n  type: http\n  scheme: bearer\n  bearerFormat: JWT\n",
        "cookie:\n  secure: true\n  max_age: 3600\n  same_site: lax\n",
        "cookie: { secure: true, maxAge: 3600 }\n",
    ],
)
def test_blocks_of_yaml_that_describe_a_secret_are_left_alone(text: str) -> None:
    """As mappings of JSON are."""
    assert SANITIZER.text(text) is text


@pytest.mark.parametrize(
    "text",
    [
        "credentials:\n  user: bob\n  phrase: SECRET\n",
        "secrets:\n  - SECRET\n",
        "password:\n  value: SECRET\n",
        "password:\n  pin: 482913\n  value: SECRET\n",
        "auth: {user: bob, word: SECRET}\n",
    ],
)
def test_blocks_of_yaml_that_hold_a_secret_go(text: str) -> None:
    """One line that may be secret takes all of them along."""
    assert "hunterlike" not in SANITIZER.text(text.replace("SECRET", "hunterlike"))
