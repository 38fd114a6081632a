"""Questions in SQL that are ready to run."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

_TITLE: Final = re.compile(r"^-- (.+) --$", re.MULTILINE)


class Question(NamedTuple):
    """A question in words, and its statement."""

    title: str
    statement: str


@cache
def questions() -> tuple[Question, ...]:
    """All of `questions.sql`, in its order."""
    _, *parts = _TITLE.split(files(__package__).joinpath("questions.sql").read_text("utf-8"))
    return tuple(
        Question(title, statement.strip())
        for title, statement in zip(parts[::2], parts[1::2], strict=True)
    )
