"""Classes of records that are kept together, because they are kept for equally long."""

from dataclasses import dataclass
from typing import Final

from psycopg.sql import SQL, Composable, Composed
from sqlalchemy import Table

from relayscope.storage.tables import log, span

_IS_ERROR: Final = {
    log.name: SQL("severity_number >= 17"),
    span.name: SQL("status_code = 2"),
}
_OF_COMPONENTS: Final = SQL(
    "resource_id in (select id from relayscope_store.resource where component = any({}))"
)

REST: Final = "rest"
"""The name of the class of what is in no other."""


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """Records that are kept apart from the rest: those for which all of this holds.

    Attributes:
        name: Part of what `relayscope retention` says and of the names of archives.
        errors: Log records of severity ERROR and above, and spans that failed.
        components: Records of these, if any are named.
    """

    name: str
    errors: bool = False
    components: tuple[str, ...] = ()

    def condition(self, table: Table) -> Composable | None:
        """Return the condition on its rows in a table; None if it has none there."""
        parts: list[Composable] = []
        if self.errors:
            if table.name not in _IS_ERROR:
                return None
            parts.append(_IS_ERROR[table.name])
        if self.components:
            parts.append(_OF_COMPONENTS.format(list(self.components)))
        return SQL("({})").format(SQL(" and ").join(parts)) if parts else None


def conditions(classes: tuple[RetentionClass, ...], table: Table) -> dict[str, Composable]:
    """Return the condition on the rows of each class in a table; the last is that of the rest.

    A row belongs to the first class whose conditions hold.
    """
    found: dict[str, Composable] = {}
    earlier: list[Composable] = []
    for each in classes:
        own = each.condition(table)
        if own is not None:
            found[each.name] = _and_none_of(own, earlier)
            earlier.append(own)
    found[REST] = _and_none_of(SQL("true"), earlier)
    return found


def _and_none_of(condition: Composable, others: list[Composable]) -> Composed:
    parts = [condition, *(SQL("{} is not true").format(other) for other in others)]
    return SQL(" and ").join(parts)
