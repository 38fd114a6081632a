"""PostgreSQL: where the records live.

`EmbeddedServer` runs a PostgreSQL of our own, `create_engine` connects to any, `migrate` gives it
our tables and views, and a `Writer` puts `Batch`es into it, each once, committed when it returns.
`relayscope.storage.rows` says what the rows of a batch look like.

Names are imported when they are used: who only reads from the embedded server needs no SQLAlchemy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from relayscope.storage.batch import Batch, Row, WriteOutcome
    from relayscope.storage.database_size import DatabaseSize, measure_database
    from relayscope.storage.embedded import EmbeddedServer, connect_embedded, is_embedded
    from relayscope.storage.engine import create_engine, place_of
    from relayscope.storage.errors import (
        DatabaseTooNew,
        DatabaseTooOld,
        DatabaseUnreleased,
        EmbeddedServerError,
        NoDatabase,
        NotPermitted,
        ServerDidNotStart,
        StorageError,
        StorageFull,
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
    from relayscope.storage.migration import check_migrated, migrate
    from relayscope.storage.niceness import NICENESS, make_backend_nice
    from relayscope.storage.process_metrics import (
        MetricSample,
        forget_history,
        forget_samples,
        keep_history,
        store_samples,
    )
    from relayscope.storage.retention import (
        Hold,
        Policy,
        Removal,
        database_bytes,
        drop_unused_tables,
        forget_unused,
        hold,
        holds,
        plan,
        remove,
        sealed_removals,
    )
    from relayscope.storage.roles import (
        Roles,
        end_long_reads,
        init_roles,
        large_object_makers,
        unbounded_readers,
    )
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
    from relayscope.storage.writing import Writer, unstored

__all__ = [
    "MOST_RULES",
    "NICENESS",
    "Batch",
    "DatabaseSize",
    "DatabaseTooNew",
    "DatabaseTooOld",
    "DatabaseUnreleased",
    "EmbeddedServer",
    "EmbeddedServerError",
    "Hold",
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
    "StorageFull",
    "StorageUnavailable",
    "TooManyRules",
    "WriteOutcome",
    "Writer",
    "agents",
    "check_migrated",
    "connect_embedded",
    "create_engine",
    "database_bytes",
    "drop_unused_tables",
    "end_long_reads",
    "find_agent",
    "forget_history",
    "forget_samples",
    "forget_unused",
    "heard_lately",
    "hold",
    "holds",
    "init_roles",
    "is_embedded",
    "keep_history",
    "large_object_makers",
    "live_partitions",
    "maintenance_connection",
    "make_backend_nice",
    "measure_database",
    "migrate",
    "move_default_rows",
    "place_of",
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
    "unbounded_readers",
    "unstored",
]

_MODULES: Final = {
    "Batch": "batch",
    "DatabaseSize": "database_size",
    "DatabaseTooNew": "errors",
    "DatabaseTooOld": "errors",
    "DatabaseUnreleased": "errors",
    "EmbeddedServer": "embedded",
    "EmbeddedServerError": "errors",
    "Hold": "retention",
    "LevelAgent": "levels",
    "LevelRule": "levels",
    "MOST_RULES": "levels",
    "MetricSample": "process_metrics",
    "NICENESS": "niceness",
    "NoDatabase": "errors",
    "NotPermitted": "errors",
    "Policy": "retention",
    "Removal": "retention",
    "RetentionClass": "sealing",
    "Roles": "roles",
    "Row": "batch",
    "Sealed": "sealing",
    "Sealer": "sealing",
    "Segment": "sealing",
    "Selectors": "levels",
    "ServerDidNotStart": "errors",
    "StorageError": "errors",
    "StorageFull": "errors",
    "StorageUnavailable": "errors",
    "TooManyRules": "errors",
    "WriteOutcome": "batch",
    "Writer": "writing",
    "agents": "levels",
    "check_migrated": "migration",
    "connect_embedded": "embedded",
    "create_engine": "engine",
    "database_bytes": "retention",
    "drop_unused_tables": "retention",
    "end_long_reads": "roles",
    "find_agent": "levels",
    "forget_history": "process_metrics",
    "forget_samples": "process_metrics",
    "forget_unused": "retention",
    "heard_lately": "levels",
    "hold": "retention",
    "holds": "retention",
    "init_roles": "roles",
    "is_embedded": "embedded",
    "keep_history": "process_metrics",
    "large_object_makers": "roles",
    "live_partitions": "sealing",
    "maintenance_connection": "sealing",
    "make_backend_nice": "niceness",
    "measure_database": "database_size",
    "migrate": "migration",
    "move_default_rows": "sealing",
    "place_of": "engine",
    "plan": "retention",
    "read_dictionary": "sealing",
    "read_records": "sealing",
    "remove": "retention",
    "reset_levels": "levels",
    "rules_in_force": "levels",
    "save_agent": "levels",
    "sealed_removals": "retention",
    "set_level": "levels",
    "store_samples": "process_metrics",
    "unbounded_readers": "roles",
    "unstored": "writing",
}

if not TYPE_CHECKING:  # A checker that saw it would take any name for one of ours.

    def __getattr__(name: str) -> object:
        module = _MODULES.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{module}"), name)
