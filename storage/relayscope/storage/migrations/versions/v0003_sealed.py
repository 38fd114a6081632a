"""Segments for what is sealed, and views that show it together with what is not."""

from pathlib import Path
from typing import Final

from alembic import op

revision: Final = "0003"
down_revision: Final = "0001"


def upgrade() -> None:
    """Add all of it; nothing that the previous release writes or reads goes."""
    statements = Path(__file__).with_name("v0003_sealed.sql").read_text(encoding="utf-8")
    # The driver takes a lone % for a parameter.
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
