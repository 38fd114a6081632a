"""Views and functions over messages, calls and traces; indexes for lists; roles."""

from pathlib import Path
from typing import Final

from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Add all of it; nothing that the previous release writes or reads goes."""
    for name in (
        "v0002_indexes.sql",
        "v0002_records.sql",
        "v0002_messages.sql",
        "v0002_summaries.sql",
        "v0002_functions.sql",
        "v0002_json.sql",
        "v0002_peers.sql",
        "v0002_roles.sql",
    ):
        statements = Path(__file__).with_name(name).read_text(encoding="utf-8")
        # The driver takes a lone % for a parameter.
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
