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
from relayscope.storage.records import read_dictionary, read_records
from relayscope.storage.retention import Policy, Removal, everything, hold, plan, remove, tidy
from relayscope.storage.retention_class import RetentionClass
from relayscope.storage.roles import Roles, init_roles
from relayscope.storage.sealing import Sealed, Sealer, Segment, alone, unsealed
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
    "Policy",
    "Removal",
    "RetentionClass",
    "Roles",
    "Row",
    "Sealed",
    "Sealer",
    "Segment",
    "ServerDidNotStart",
    "Size",
    "StorageError",
    "StorageUnavailable",
    "Writer",
    "alone",
    "create_engine",
    "everything",
    "forget_figures",
    "hold",
    "init_roles",
    "measure",
    "migrate",
    "plan",
    "read_dictionary",
    "read_records",
    "remove",
    "store_figures",
    "tidy",
    "unsealed",
]
