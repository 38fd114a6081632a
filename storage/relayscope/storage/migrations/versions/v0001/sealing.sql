-- Sealed records: closed segments beside the tables that are written to. A segment holds the rows of
-- one partition that are kept for equally long, so that retention drops whole tables.
--
-- Segments are in two levels of partitions, by time and then by segment, so that a condition on the
-- time prunes them and more than one may hold rows of the same time: another class of retention, or
-- rows that came after the others had been sealed.

-- From when until when a partition holds rows; nothing for DEFAULT.
create function relayscope_store.bounds(
    partition oid, out start_time timestamptz, out end_time timestamptz
)
returns setof record
language sql stable
as $$
    select part[1]::timestamptz, part[2]::timestamptz
    from pg_class,
        regexp_match(
            pg_get_expr(relpartbound, oid), 'FROM \(''([^'']+)''\) TO \(''([^'']+)''\)'
        ) as part
    where oid = partition and part is not null
$$;

create table relayscope_store.segment (
    id integer generated always as identity primary key,
    signal text not null,
    class text not null,
    from_time timestamptz not null,
    to_time timestamptz not null,
    -- `building` until all of it is there; who finds one without a builder removes it.
    state text not null default 'building' check (state in ('building', 'sealed')),
    rows bigint not null default 0,
    bytes bigint not null default 0,
    created_at timestamptz not null default now(),
    sealed_at timestamptz
);

comment on table relayscope_store.segment is 'What is sealed: one row per set of tables *_segment_N.';

-- What retention has removed.
create table relayscope_store.removal (
    signal text not null,
    class text not null,
    from_time timestamptz not null,
    to_time timestamptz not null,
    rows bigint not null,
    bytes bigint not null,
    reason text not null,
    archive text,
    removed_at timestamptz not null default now()
);

-- Time ranges that retention leaves alone until then: what was restored to be looked at.
create table relayscope_store.hold (
    from_time timestamptz not null,
    to_time timestamptz not null,
    until timestamptz not null
);

create table relayscope_store.span_sealed (
    segment integer not null,
    like relayscope_store.span
) partition by range (start_time);

create index span_sealed_trace_id on relayscope_store.span_sealed (trace_id);
create index span_sealed_start_time on relayscope_store.span_sealed (start_time);
create index span_sealed_errors on relayscope_store.span_sealed (start_time) where status_code = 2;
create index span_sealed_attributes on relayscope_store.span_sealed
    using gin (attributes jsonb_path_ops);

create table relayscope_store.metric_point_sealed (
    segment integer not null,
    like relayscope_store.metric_point
) partition by range (time);

create index metric_point_sealed_time on relayscope_store.metric_point_sealed using brin (time);

-- A sealed log record is three things. A narrow row, with what single records are found by. Its shape:
-- what few records differ in, and lists are filtered by. Its place in a chunk, which holds the rest of
-- up to 256 records, column by column, where TOAST compresses it: chunk * 256 + position - 1. So it
-- has 80 bytes.
create table relayscope_store.log_sealed (
    time timestamptz not null,
    trace_id uuid,
    -- Not part of the shape: whatever is summed is summed by component.
    resource_id uuid not null,
    segment integer not null,
    place integer not null,
    shape integer not null,
    time_nano smallint not null,
    severity_number smallint not null
) partition by range (time);

create index log_sealed_trace_id on relayscope_store.log_sealed (trace_id);
create index log_sealed_time on relayscope_store.log_sealed (time);
create index log_sealed_severe on relayscope_store.log_sealed (time) where severity_number >= 13;
-- For shapes that few records have. Of rows that are alike it has 6 bytes each.
create index log_sealed_shape on relayscope_store.log_sealed (shape);

create table relayscope_store.log_shape (
    id integer generated always as identity primary key,
    digest bytea not null unique,
    -- The last one to use it: when that has gone, so may this.
    last_segment integer not null,
    event_name text,
    peer text,
    direction text,
    kind text,
    method text,
    tool text,
    error_code bigint,
    odd text,
    ended boolean
);

create table relayscope_store.log_chunk (
    segment integer not null,
    chunk integer not null,
    first_time timestamptz not null,
    last_time timestamptz not null,
    -- One JSON list, so that an index finds what is in any element.
    attributes jsonb not null,
    body text [],
    body_json jsonb [],
    observed_time timestamptz [],
    observed_nano smallint [],
    span_id bytea [],
    flags bigint [],
    severity_text text [],
    dropped_attributes_count bigint [],
    scope_id uuid [],
    request_id text [],
    channel text [],
    sequence bigint [],
    size bigint []
) partition by list (segment);

-- The planner can be sure that a lookup gives one row, and leaves it out where nobody reads it.
create unique index log_chunk_place on relayscope_store.log_chunk (segment, chunk);
create index log_chunk_last_time on relayscope_store.log_chunk (last_time);

-- Attributes that are another for each message: an index of these would be as large as that of the
-- texts.
create function relayscope_store.unindexed_attributes() returns text []
language sql immutable parallel safe
return array[
    'relayscope.channel.sequence', 'relayscope.message.size', 'relayscope.message.sha256',
    'jsonrpc.request.id'
];

create function relayscope_store.findable(attributes jsonb) returns jsonb
language sql immutable strict parallel safe cost 10000
as $$
    select jsonb_agg(element - relayscope_store.unindexed_attributes())
    from jsonb_array_elements(attributes) as element
$$;

-- The texts of a chunk as one, for the index. Immutable, unlike array_to_string, because of what it is
-- given. It reads 50 kB: the planner should know.
create function relayscope_store.texts(body text [], body_json jsonb []) returns text
language sql immutable parallel safe cost 10000
as $$ select concat_ws(E'\n', array_to_string(body, E'\n'), array_to_string(body_json, E'\n')) $$;

-- What a chunk holds is found by its time, too, in the same index: of a word that most chunks have, only
-- those of the stretch that is looked at are read, which is what costs (0.1 to 0.4 ms each).
--
-- The extensions come with PostgreSQL, and whoever may create in the database may create them. Without
-- them all is found just the same, by reading more.
do $$
begin
    create extension if not exists btree_gin schema relayscope_store;
exception
    when insufficient_privilege or undefined_file or feature_not_supported then
        raise warning using message = 'relayscope searches without btree_gin: ' || sqlerrm;
end
$$;

do $$
begin
    create extension if not exists pg_trgm schema relayscope_store;
exception
    when insufficient_privilege or undefined_file or feature_not_supported then
        raise warning using message = 'relayscope searches texts by reading them all: ' || sqlerrm;
end
$$;

do $$
declare
    times text := '';
    trigrams regnamespace;
begin
    if exists (select from pg_extension where extname = 'btree_gin') then
        times := ', first_time, last_time';
    end if;
    execute 'create index log_chunk_attributes on relayscope_store.log_chunk'
        ' using gin (relayscope_store.findable(attributes) jsonb_path_ops' || times || ')';
    select extnamespace into trigrams from pg_extension where extname = 'pg_trgm';
    if trigrams is not null then
        execute 'create index log_chunk_text on relayscope_store.log_chunk'
            ' using gin (relayscope_store.texts(body, body_json) ' || trigrams || '.gin_trgm_ops'
            || times || ')';
    end if;
end
$$;
