"""Texts as JSON, where they are; and calls without an answer, which have no duration."""

from pathlib import Path
from typing import Final

from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"


def upgrade() -> None:
    """Append columns to the views."""
    statements = Path(__file__).with_name("v0012_answers.sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)
