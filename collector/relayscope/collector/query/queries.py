"""The statements of the `.sql` files here, by name."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import LiteralString

FILES: Final = (
    "queries.sql",
    "lists.sql",
    "problems.sql",
    "failed_calls.sql",
    "failed_calls_explained.sql",
    "missing_records.sql",
    "relay_changes.sql",
    "unread_lists.sql",
    "result_schemas.sql",
    "cost.sql",
    "pipeline.sql",
)

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
    statements: dict[str, LiteralString] = {}
    for file in FILES:
        _, *parts = _NAME.split(files(__package__).joinpath(file).read_text("utf-8"))
        statements |= {
            name: _without_comments(statement)
            for name, statement in zip(parts[::2], parts[1::2], strict=True)
        }
    return statements


def _without_comments(text: str) -> LiteralString:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return "\n".join(lines).strip()
