"""Everything that the first release needs: tables, views, functions, roles."""

from pathlib import Path
from typing import Final

from alembic import op

from relayscope.storage.first_tables import fingerprint

revision: Final = "v0001"
down_revision: Final = None

_SUBJECTS: Final = (
    "tables",
    "columns",
    "filters",
    "json",
    "sealing",
    "records",
    "messages",
    "traces",
    "components",
    "delivery",
    "search",
    "peers",
    "levels",
    "roles",
)
"""Files, in the order in which they need each other."""


def upgrade() -> None:
    """Make all of it."""
    folder = Path(__file__).with_name("v0001")
    for subject in _SUBJECTS:
        statements = (folder / f"{subject}.sql").read_text(encoding="utf-8")
        # The driver takes a lone % for a parameter.
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
    op.get_bind().exec_driver_sql(f"comment on schema relayscope_store is '{fingerprint()}'")
