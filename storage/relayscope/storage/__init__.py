"""PostgreSQL: where the records live.

`EmbeddedServer` runs a PostgreSQL of our own, `create_engine` connects to any, `migrate` gives it
our tables and views, and a `Writer` puts `Batch`es into it, each once, committed when it returns.
`relayscope.storage.rows` says what the rows of a batch look like.
"""

from relayscope.storage.batch import Batch, Row, WriteOutcome
from relayscope.storage.database_size import DatabaseSize, measure_database
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
from relayscope.storage.process_metrics import MetricSample, forget_samples, store_samples
from relayscope.storage.retention import (
    Policy,
    Removal,
    drop_unused_tables,
    forget_unused,
    hold,
    plan,
    remove,
    sealed_removals,
)
from relayscope.storage.roles import Roles, end_long_reads, init_roles
from relayscope.storage.sealing import (
    RetentionClass,
    Sealed,
    Sealer,
    Segment,
    live_partitions,
    maintenance_connection,
    move_default_rows,
    read_dictionary,
    read_records,
)
from relayscope.storage.writing import Writer

__all__ = [
    "MOST_RULES",
    "Batch",
    "DatabaseSize",
    "DatabaseTooNew",
    "DatabaseTooOld",
    "DatabaseUnreleased",
    "EmbeddedServer",
    "EmbeddedServerError",
    "LevelAgent",
    "LevelRule",
    "MetricSample",
    "NoDatabase",
    "NotPermitted",
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
    "StorageError",
    "StorageUnavailable",
    "TooManyRules",
    "WriteOutcome",
    "Writer",
    "agents",
    "create_engine",
    "drop_unused_tables",
    "end_long_reads",
    "find_agent",
    "forget_samples",
    "forget_unused",
    "heard_lately",
    "hold",
    "init_roles",
    "live_partitions",
    "maintenance_connection",
    "measure_database",
    "migrate",
    "move_default_rows",
    "plan",
    "read_dictionary",
    "read_records",
    "remove",
    "reset_levels",
    "rules_in_force",
    "save_agent",
    "sealed_removals",
    "set_level",
    "store_samples",
]
