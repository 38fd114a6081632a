"""Rules and processes as lines for a terminal."""

from __future__ import annotations

from relayscope.collector.render.level_list import lines

PROCESS = {
    "component": "relay",
    "process": "0123456789abcdef",
    "pid": 7,
    "level": "INFO",
    "rules": [],
    "state": "own",
    "message": "",
    "since": None,
    "last_seen": None,
}


def test_a_long_name_does_not_push_the_others_apart() -> None:
    """Of 10,000 characters the list shows the first; as JSON it has all of them."""
    found = {"rules": [], "processes": [PROCESS, {**PROCESS, "component": "s" * 10_000}]}
    shown = list(lines(found, as_json=False))
    assert max(map(len, shown)) < 200
    assert any(line.startswith("sss") and "s…  " in line for line in shown)
    assert "s" * 10_000 in next(lines(found, as_json=True))
