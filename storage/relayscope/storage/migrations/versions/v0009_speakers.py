"""Components are compared like peers, and what differs is shown."""

from pathlib import Path
from typing import Final

from alembic import op

revision: Final = "0009"
down_revision: Final = "0005"


def upgrade() -> None:
    """Replace the view and the function; both keep their columns and gain some."""
    statements = Path(__file__).with_name("v0009_speakers.sql").read_text(encoding="utf-8")
    # The driver takes a lone % for a parameter.
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
