"""The tables, as SQLAlchemy knows them.

They are private (`relayscope_store`): what people may rely on are the views in `relayscope`.
No table refers to another by a foreign key and none has a sequence, so that nothing is looked up
per row and the large ones can be distributed later. The order of the columns is the order of the
values in a row of `relayscope.storage.rows`.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Index,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA: Final = "relayscope_store"

metadata: Final = MetaData(schema=SCHEMA)

resource: Final = Table(
    "resource",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("component", Text, nullable=False),
    Column("attributes", JSONB, nullable=False),
    Column("schema_url", Text, nullable=False),
    Column("dropped_attributes_count", BigInteger, nullable=False),
)

scope: Final = Table(
    "scope",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("attributes", JSONB, nullable=False),
    Column("schema_url", Text, nullable=False),
    Column("dropped_attributes_count", BigInteger, nullable=False),
)

entry_seen: Final = Table(
    "entry_seen",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("seen_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""Ids of resources and scopes."""

span: Final = Table(
    "span",
    metadata,
    Column("start_time", DateTime(timezone=True), nullable=False),
    Column("start_nano", SmallInteger, nullable=False),
    Column("end_time", DateTime(timezone=True), nullable=False),
    Column("end_nano", SmallInteger, nullable=False),
    Column("trace_id", Uuid, nullable=False),
    Column("span_id", LargeBinary, nullable=False),
    Column("parent_span_id", LargeBinary),
    Column("trace_state", Text),
    Column("flags", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("status_code", SmallInteger, nullable=False),
    Column("status_message", Text),
    Column("attributes", JSONB, nullable=False),
    Column("events", JSONB),
    Column("links", JSONB),
    Column("dropped_attributes_count", BigInteger, nullable=False),
    Column("dropped_events_count", BigInteger, nullable=False),
    Column("dropped_links_count", BigInteger, nullable=False),
    Column("resource_id", Uuid, nullable=False),
    Column("scope_id", Uuid, nullable=False),
    Index("span_trace_id", "trace_id"),
    Index("span_by_time", "start_time"),
    Index("span_errors", "start_time", postgresql_where=text("status_code = 2")),
    postgresql_partition_by="RANGE (start_time)",
)

log: Final = Table(
    "log",
    metadata,
    Column("time", DateTime(timezone=True), nullable=False),
    Column("time_nano", SmallInteger, nullable=False),
    Column("observed_time", DateTime(timezone=True)),
    Column("observed_nano", SmallInteger),
    Column("trace_id", Uuid),
    Column("span_id", LargeBinary),
    Column("flags", BigInteger, nullable=False),
    Column("severity_number", SmallInteger, nullable=False),
    Column("severity_text", Text),
    Column("event_name", Text),
    Column("body", Text),
    Column("body_json", JSONB),
    Column("attributes", JSONB, nullable=False),
    Column("dropped_attributes_count", BigInteger, nullable=False),
    Column("resource_id", Uuid, nullable=False),
    Column("scope_id", Uuid, nullable=False),
    Index("log_trace_id", "trace_id"),
    Index("log_by_time", "time"),
    Index("log_severe", "time", postgresql_where=text("severity_number >= 13")),
    Index(
        "log_other",
        "time",
        postgresql_where=text("event_name is distinct from 'mcp.message'"),
    ),
    Index(
        "log_ended",
        "resource_id",
        postgresql_where=text(
            "event_name = 'relayscope.delivery' and attributes ? 'relayscope.delivery.ended'"
        ),
    ),
    postgresql_partition_by="RANGE (time)",
)

metric_point: Final = Table(
    "metric_point",
    metadata,
    Column("time", DateTime(timezone=True), nullable=False),
    Column("time_nano", SmallInteger, nullable=False),
    Column("start_time", DateTime(timezone=True)),
    Column("start_nano", SmallInteger),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("unit", Text),
    Column("kind", SmallInteger, nullable=False),
    Column("temporality", SmallInteger),
    Column("monotonic", Boolean),
    Column("value", Double),
    Column("value_int", BigInteger),
    Column("count", Numeric),
    Column("sum", Double),
    Column("min", Double),
    Column("max", Double),
    Column("detail", JSONB),
    Column("flags", BigInteger, nullable=False),
    Column("attributes", JSONB, nullable=False),
    Column("metadata", JSONB),
    Column("resource_id", Uuid, nullable=False),
    Column("scope_id", Uuid, nullable=False),
    Index("metric_point_time", "time", postgresql_using="brin"),
    postgresql_partition_by="RANGE (time)",
)

request: Final = Table(
    "request",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("stored_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("request_stored_at", "stored_at", postgresql_using="brin"),
)

figure: Final = Table(
    "figure",
    metadata,
    Column("process", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("labels", JSONB, primary_key=True),
    Column("value", Double, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

figure_sample: Final = Table(
    "figure_sample",
    metadata,
    Column("time", DateTime(timezone=True), primary_key=True),
    Column("figures", JSONB, nullable=False),
)

PARTITIONED: Final = (span, log, metric_point)
"""The tables of records, each partitioned by UTC day on its first column."""
