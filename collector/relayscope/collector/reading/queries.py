"""The statements of `queries.sql`, by name."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import LiteralString

_NAME: Final = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def query(name: LiteralString) -> LiteralString:
    """The statement of that name.

    It is a `LiteralString` because it comes with the package: what `execute` is given can be
    checked to hold nothing that a user or a stranger wrote.

    Raises:
        KeyError: there is none of that name.
    """
    return _queries()[name]


@cache
def _queries() -> dict[str, LiteralString]:
    text = files(__package__).joinpath("queries.sql").read_text("utf-8")
    _, *parts = _NAME.split(text)
    return {
        name: _without_comments(statement)
        for name, statement in zip(parts[::2], parts[1::2], strict=True)
    }


def _without_comments(text: str) -> LiteralString:
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return "\n".join(lines).strip()
