"""The rules about a component, offered as OpAMP's remote configuration."""

from __future__ import annotations

import hashlib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from relayscope.storage import LevelRule

FILE: Final = "relayscope"
"""The name of our file in the configuration."""

ELASTIC_FILE: Final = "elastic"
"""The name of the file that Elastic's agents read."""

VERSION: Final = 1
_MOST: Final = 32
"""Rules that one process is given: it may look through all of them for each message."""


class Offer(NamedTuple):
    """A configuration.

    Attributes:
        hash: The same for the same rules, whenever they are offered.
        files: Their contents, by name.
        is_empty: True if there are no rules.
    """

    hash: bytes
    files: dict[str, bytes]
    is_empty: bool


def offer(rules: Iterable[LevelRule], component: str) -> Offer:
    """Return what the processes of a component are to be given now.

    Args:
        rules: All that hold, the newest first.
        component: Their `service.name`.
    """
    about = [rule for rule in rules if fnmatchcase(component, rule.about.component)][:_MOST]
    told = [_told(rule) for rule in about]
    # A time that the sender's and the receiver's clock agree on is the time of sending.
    now = about[0].now.timestamp() if about else 0.0
    content = {"version": VERSION, "now": now, "rules": told}
    digest = hashlib.sha256(orjson.dumps(told)).digest()
    files = {FILE: orjson.dumps(content), ELASTIC_FILE: orjson.dumps(_elastic(about))}
    return Offer(digest, files, is_empty=not told)


def _told(rule: LevelRule) -> dict[str, Any]:
    about = rule.about
    told: dict[str, Any] = {"id": str(rule.id), "level": rule.level, "by": rule.set_by}
    if about.host_logs:
        told["host_logs"] = True
    told |= {
        name: pattern
        for name in ("peer", "method", "target")
        if (pattern := getattr(about, name)) != "*"
    }
    if about.direction:
        told["direction"] = about.direction
    if rule.until is not None:
        told["until"] = rule.until.timestamp()
    return told


def _elastic(rules: Iterable[LevelRule]) -> dict[str, str]:
    """Return what Elastic's agents understand: one level, that of their own logging."""
    for rule in rules:
        about = rule.about
        if about == about._replace(peer="*", method="*", target="*", direction=""):
            return {"logging_level": rule.level.lower()}
    return {}
