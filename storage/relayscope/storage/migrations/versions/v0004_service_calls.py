"""A call is served by one: who passes on a message as it came makes no second one."""

from pathlib import Path
from typing import Final

from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"


def upgrade() -> None:
    """Replace the function; its columns stay."""
    statements = Path(__file__).with_name("v0004_service_calls.sql").read_text(encoding="utf-8")
    # The driver takes a lone % for a parameter.
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
