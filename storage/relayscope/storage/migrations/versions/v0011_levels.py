"""Levels that are set from outside: rules, and the processes that ask for them."""

from pathlib import Path
from typing import Final

from alembic import op

revision: Final = "0011"
down_revision: Final = "0009"


def upgrade() -> None:
    """Add two tables and a view."""
    statements = Path(__file__).with_name("v0011_levels.sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)
