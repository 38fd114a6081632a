"""When a resource or scope was sent last, so that what nobody uses can be removed."""

from pathlib import Path
from typing import Final

from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"


def upgrade() -> None:
    """Make the table; nothing that is there is locked."""
    statements = Path(__file__).with_name("v0013_seen.sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)
