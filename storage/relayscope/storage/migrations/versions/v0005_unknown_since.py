"""What a process emitted after its last stored record is not known until its account is closed."""

from pathlib import Path
from typing import Final

from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"


def upgrade() -> None:
    """Append a column to the view."""
    statements = Path(__file__).with_name("v0005_unknown_since.sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)
