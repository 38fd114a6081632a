"""PostgreSQL: where the records live.

`EmbeddedServer` runs a PostgreSQL of our own, `create_engine` connects to any, `migrate` gives it
our tables and views, and a `Writer` puts `Batch`es into it, each once, committed when it returns.
`relayscope.storage.rows` says what the rows of a batch look like.
"""

from relayscope.storage.batch import Batch, Outcome, Row
from relayscope.storage.embedded import EmbeddedServer
from relayscope.storage.engine import create_engine
from relayscope.storage.errors import (
    DatabaseTooNew,
    DatabaseTooOld,
    EmbeddedServerError,
    NoDatabase,
    NotPermitted,
    ServerDidNotStart,
    StorageError,
    StorageUnavailable,
)
from relayscope.storage.figures import Figure, Size, forget_figures, measure, store_figures
from relayscope.storage.migrate import migrate
from relayscope.storage.roles import Roles, init_roles
from relayscope.storage.writer import Writer

__all__ = [
    "Batch",
    "DatabaseTooNew",
    "DatabaseTooOld",
    "EmbeddedServer",
    "EmbeddedServerError",
    "Figure",
    "NoDatabase",
    "NotPermitted",
    "Outcome",
    "Roles",
    "Row",
    "ServerDidNotStart",
    "Size",
    "StorageError",
    "StorageUnavailable",
    "Writer",
    "create_engine",
    "forget_figures",
    "init_roles",
    "measure",
    "migrate",
    "store_figures",
]
