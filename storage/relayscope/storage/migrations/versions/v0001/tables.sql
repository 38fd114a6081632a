-- The tables that are written to. Private: what people may rely on are the views, in a schema of their
-- own.

create schema relayscope;

create table relayscope_store.resource (
    id uuid primary key,
    component text not null,
    attributes jsonb not null,
    schema_url text not null,
    dropped_attributes_count bigint not null
);

create table relayscope_store.scope (
    id uuid primary key,
    name text not null,
    version text not null,
    attributes jsonb not null,
    schema_url text not null,
    dropped_attributes_count bigint not null
);

-- When a resource or scope was sent last, about: `Dictionary` renews it once an hour. A table of its own,
-- because changing those two would lock out, and could deadlock with, who writes meanwhile.
create table relayscope_store.entry_seen (
    id uuid primary key,
    seen_at timestamptz not null default now()
);

create table relayscope_store.span (
    start_time timestamptz not null,
    start_nano smallint not null,
    end_time timestamptz not null,
    end_nano smallint not null,
    trace_id uuid not null,
    span_id bytea not null,
    parent_span_id bytea,
    trace_state text,
    flags bigint not null,
    name text not null,
    kind smallint not null,
    status_code smallint not null,
    status_message text,
    attributes jsonb not null,
    events jsonb,
    links jsonb,
    dropped_attributes_count bigint not null,
    dropped_events_count bigint not null,
    dropped_links_count bigint not null,
    resource_id uuid not null,
    scope_id uuid not null
) partition by range (start_time);

create index span_trace_id on relayscope_store.span (trace_id);

-- The newest of whatever, and the newest that went wrong, without reading all of a day
-- (tests/bench/results/message-columns-2026-11-25.txt).
create index span_by_time on relayscope_store.span (start_time);
create index span_errors on relayscope_store.span (start_time) where status_code = 2;

create table relayscope_store.log (
    time timestamptz not null,
    time_nano smallint not null,
    observed_time timestamptz,
    observed_nano smallint,
    trace_id uuid,
    span_id bytea,
    flags bigint not null,
    severity_number smallint not null,
    severity_text text,
    event_name text,
    body text,
    body_json jsonb,
    attributes jsonb not null,
    dropped_attributes_count bigint not null,
    resource_id uuid not null,
    scope_id uuid not null
) partition by range (time);

create index log_trace_id on relayscope_store.log (trace_id);
create index log_by_time on relayscope_store.log (time);
create index log_severe on relayscope_store.log (time) where severity_number >= 13;

-- Nearly all records are messages: to find 50 others took 1.1 s among 2.4 million.
create index log_other on relayscope_store.log (time) where event_name is distinct from 'mcp.message';

-- Who has said that it emits nothing more: one record of each process.
create index log_ended on relayscope_store.log (resource_id)
where event_name = 'relayscope.delivery' and attributes ? 'relayscope.delivery.ended';

create table relayscope_store.metric_point (
    time timestamptz not null,
    time_nano smallint not null,
    start_time timestamptz,
    start_nano smallint,
    name text not null,
    description text,
    unit text,
    kind smallint not null,
    temporality smallint,
    monotonic boolean,
    value double precision,
    value_int bigint,
    count numeric,
    sum double precision,
    min double precision,
    max double precision,
    detail jsonb,
    flags bigint not null,
    attributes jsonb not null,
    metadata jsonb,
    resource_id uuid not null,
    scope_id uuid not null
) partition by range (time);

create index metric_point_time on relayscope_store.metric_point using brin (time);

-- Where records go whose day has no partition: those with impossible times above all.
create table relayscope_store.span_default partition of relayscope_store.span default;
create table relayscope_store.log_default partition of relayscope_store.log default;
create table relayscope_store.metric_point_default
    partition of relayscope_store.metric_point default;

-- Which requests were stored, so that a repeated one is not stored again.
create table relayscope_store.request (
    digest bytea primary key,
    stored_at timestamptz not null default now()
);

create index request_stored_at on relayscope_store.request using brin (stored_at);

-- What the collector's processes say of themselves; the last word of each.
create table relayscope_store.figure (
    process uuid not null,
    name text not null,
    labels jsonb not null,
    value double precision not null,
    updated_at timestamptz not null default now(),
    primary key (process, name, labels)
);

-- The same, of all of them together, as it was now and then: a list of objects for each time.
create table relayscope_store.figure_sample (
    time timestamptz primary key,
    figures jsonb not null
);
