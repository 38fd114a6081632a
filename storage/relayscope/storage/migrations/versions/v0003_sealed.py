"""Segments for what is sealed, and views that show it together with what is not."""

from pathlib import Path
from typing import Final

from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Add all of it; nothing that the previous release writes or reads goes."""
    for name in ("v0003_sealed.sql", "v0003_records.sql", "v0003_search.sql"):
        statements = Path(__file__).with_name(name).read_text(encoding="utf-8")
        # The driver takes a lone % for a parameter.
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
