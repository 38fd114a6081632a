"""A request for a level for some messages of some components, checked."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from relayscope.collector.errors import Malformed
from relayscope.storage import Selectors

_LONGEST_DURATION: Final = timedelta(days=365)

Pattern = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]


class MessageSelector(BaseModel):
    """A selection of messages; patterns are those of a shell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    component: Pattern
    peer: Pattern = "*"
    method: Pattern = "*"
    tool: Pattern = "*"
    direction: Literal["", "sent", "received"] = ""
    host_logs: bool = False

    @model_validator(mode="after")
    def _check_together(self) -> MessageSelector:
        if self.host_logs and (self.peer, self.method, self.tool, self.direction) != (*"***", ""):
            raise ValueError("the host's log records have no peer, method, tool and direction")
        return self

    @property
    def selectors(self) -> Selectors:
        """The selectors as they are stored."""
        return Selectors(
            self.component, self.peer, self.method, self.tool, self.direction, self.host_logs
        )


class LevelRequest(MessageSelector):
    """A level, and for how long."""

    level: Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF"]
    seconds: float | None = Field(default=None, gt=0, le=_LONGEST_DURATION.total_seconds())
    by: Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""

    @property
    def duration(self) -> timedelta | None:
        """Time for which the level holds; None for ever."""
        return None if self.seconds is None else timedelta(seconds=self.seconds)


def first_error(error: ValidationError) -> Malformed:
    """Return the error to answer with: what is wrong first."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    reason = first["msg"].removeprefix("Value error, ")
    return Malformed(f"{where}: {reason}" if where else reason)
