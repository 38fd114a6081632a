"""Tables for the three signals, views to read them by, and who may read."""

from pathlib import Path
from typing import Final

from alembic import op

revision: Final = "0001"
down_revision: Final = None


def upgrade() -> None:
    """Make the tables, the views and the reading role."""
    for name in ("v0001_tables.sql", "v0001_views.sql", "v0001_roles.sql"):
        op.get_bind().exec_driver_sql(Path(__file__).with_name(name).read_text(encoding="utf-8"))
