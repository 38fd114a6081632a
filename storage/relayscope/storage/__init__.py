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
    DatabaseUnreleased,
    EmbeddedServerError,
    NoDatabase,
    NotPermitted,
    ServerDidNotStart,
    StorageError,
    StorageUnavailable,
    TooManyRules,
)
from relayscope.storage.figures import Figure, Size, forget_figures, measure, store_figures
from relayscope.storage.levels import (
    MOST_RULES,
    LevelAgent,
    LevelRule,
    Selectors,
    agents,
    find_agent,
    heard_lately,
    reset_levels,
    rules_in_force,
    save_agent,
    set_level,
)
from relayscope.storage.migrate import migrate
from relayscope.storage.records import read_dictionary, read_records
from relayscope.storage.retention import Policy, Removal, everything, hold, plan, remove, tidy
from relayscope.storage.retention_class import RetentionClass
from relayscope.storage.roles import Roles, end_long_reads, init_roles
from relayscope.storage.sealing import Sealed, Sealer, Segment, alone, place_strays, unsealed
from relayscope.storage.unused import forget_unused
from relayscope.storage.writer import Writer

__all__ = [
    "MOST_RULES",
    "Batch",
    "DatabaseTooNew",
    "DatabaseTooOld",
    "DatabaseUnreleased",
    "EmbeddedServer",
    "EmbeddedServerError",
    "Figure",
    "LevelAgent",
    "LevelRule",
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
    "Selectors",
    "ServerDidNotStart",
    "Size",
    "StorageError",
    "StorageUnavailable",
    "TooManyRules",
    "Writer",
    "agents",
    "alone",
    "create_engine",
    "end_long_reads",
    "everything",
    "find_agent",
    "forget_figures",
    "forget_unused",
    "heard_lately",
    "hold",
    "init_roles",
    "measure",
    "migrate",
    "place_strays",
    "plan",
    "read_dictionary",
    "read_records",
    "remove",
    "reset_levels",
    "rules_in_force",
    "save_agent",
    "set_level",
    "store_figures",
    "tidy",
    "unsealed",
]
