"""Keyed hashes: the same secret, the same tag (D8)."""

import json
from pathlib import Path

import pytest

from relayscope.sanitizer import HashKey, Keyring, Rules, Sanitizer

KEYS = {"keys": [{"id": "new", "key": "k" * 16}, {"id": "old", "key": "j" * 16}]}


def test_the_same_secret_gives_the_same_tag_wherever_it_stands() -> None:
    """Attribute, JSON, escaped JSON, header: the tag is of the secret, not of its spelling."""
    sanitizer = Sanitizer.from_rules(Rules.from_mapping({"hash": KEYS}))
    tag = sanitizer.tags('a"b')[0]
    marker = f"[HASHED:session-id:{tag}]"
    assert sanitizer.attributes({"session_id": 'a"b'}) == {"session_id": marker}
    assert json.loads(sanitizer.text(json.dumps({"sessionId": 'a"b'}))) == {"sessionId": marker}
    nested = json.dumps({"x": json.dumps({"sessionId": 'a"b'})})
    assert json.loads(json.loads(sanitizer.text(nested))["x"]) == {"sessionId": marker}
    assert sanitizer.text("x session_id='a\"b' y") == f"x session_id='{marker}' y"


def test_other_secrets_and_other_keys_give_other_tags() -> None:
    """A tag tells secrets apart, and cannot be recomputed without the key."""
    ours = Sanitizer.from_rules(Rules.from_mapping({"hash": KEYS}))
    theirs = Sanitizer.default()
    assert ours.tags("a")[0] != ours.tags("b")[0]
    assert ours.tags("a")[0] not in theirs.tags("a")


def test_after_a_rotation_old_tags_can_still_be_found() -> None:
    """The new key makes the tags; those of the old one are listed behind it."""
    before = Sanitizer.from_rules(Rules.from_mapping({"hash": {"keys": KEYS["keys"][1:]}}))
    after = Sanitizer.from_rules(Rules.from_mapping({"hash": KEYS}))
    new, old = after.tags("secret")
    assert new.startswith("new.")
    assert old == before.tags("secret")[0]
    assert after.attributes({"sid": "secret"}) == {"sid": f"[HASHED:session-id:{new}]"}


def test_a_tag_is_not_hashed_again() -> None:
    """Tags of the source process pass the collector as they are, whatever its key."""
    source = Sanitizer.default().attributes({"sid": "x", "m": '{"sessionId": "y"}'})
    assert Sanitizer.default().attributes(source) is source


def test_keys_come_from_a_file(tmp_path: Path) -> None:
    """Two processes with the same file make the same tags."""
    path = tmp_path / "keys"
    path.write_text("# rotated in spring\nnew kkkkkkkkkkkkkkkk\n\nold jjjjjjjjjjjjjjjj\n")
    filed = Sanitizer.from_rules(Rules.from_mapping({"hash": {"key_file": str(path)}}))
    assert filed.tags("x") == Sanitizer.from_rules(Rules.from_mapping({"hash": KEYS})).tags("x")


def test_a_key_shows_in_no_representation() -> None:
    """Printing rules does not print keys."""
    rules = Rules.from_mapping({"hash": KEYS})
    assert "kkkk" not in repr(rules)
    assert "kkkk" not in repr(HashKey("a", b"k" * 16))


def test_a_weak_key_is_refused() -> None:
    """A key that can be guessed protects nothing."""
    with pytest.raises(ValueError, match="at least 16"):
        HashKey("a", b"short")
    with pytest.raises(ValueError, match="at least one"):
        Keyring([])
