-- A trace, in one row and record by record.

-- By the earliest span of each trace: so the time that a trace began at is a column of a table, and a
-- condition on it picks partitions and index.
create view relayscope.trace_summary as
select
    first.trace_id,
    first.start_time,
    total.end_time,
    total.end_time - first.start_time as duration,
    total.names[1] as name,
    (select resource.component from relayscope_store.resource where resource.id = total.resources[1])
        as component,
    array(
        select distinct resource.component
        from relayscope_store.resource
        -- Who was killed in a call has records of it, and no span.
        where resource.id = any(
            total.resources || array(
                select log.resource_id
                from relayscope_store.every_log as log
                where log.trace_id = first.trace_id
                limit 1000
            )
        )
        order by 1
    ) as components,
    total.spans,
    total.errors,
    (
        select count(*)
        from relayscope_store.every_log as log
        where log.trace_id = first.trace_id and log.event_name = 'mcp.message'
    ) as messages,
    (
        select count(*)
        from relayscope_store.every_log as log
        where log.trace_id = first.trace_id and log.event_name = 'mcp.message'
            and log.severity_number >= 13 and log.odd is not null
    ) as odd_messages
from (
    -- Several may be earliest.
    select span.trace_id, span.start_time
    from relayscope_store.every_span as span
    -- Looked up for each span: comparing all spans with all others takes longer as soon as there is a
    -- condition on the time.
    left join lateral (
        select true as found
        from relayscope_store.every_span as earlier
        where earlier.trace_id = span.trace_id
            -- Says the same once more: so that few rows are expected. Where traces are long and few, the
            -- planner went through all that is earlier instead, for each span: 19 s for 8,000 of them.
            and earlier.trace_id between span.trace_id and span.trace_id
            and earlier.start_time < span.start_time
        limit 1
    ) as before on true
    where before.found is null
    group by span.start_time, span.trace_id
) as first
cross join lateral (
    select
        max(greatest(span.start_time, span.end_time)) as end_time,
        count(*) as spans,
        count(*) filter (where span.status_code = 2 or span.attributes ? 'error.type') as errors,
        array_agg(span.name order by span.start_time, span.start_nano, span.span_id) as names,
        array_agg(span.resource_id order by span.start_time, span.start_nano, span.span_id)
            as resources
    from relayscope_store.every_span as span
    where span.trace_id = first.trace_id
) as total;

-- As `relayscope.logs`, to be read with a condition on the trace. All of a chunk is taken out of TOAST
-- once, and not each column of it for each of its records, which takes 0.5 ms for each.
create view relayscope_store.log_of_trace as
select
    log.trace_id,
    encode(log.span_id, 'hex') as span_id,
    log.time,
    trunc(extract(epoch from log.time) * 1000000000) + log.time_nano as time_unix_nano,
    log.observed_time,
    trunc(extract(epoch from log.observed_time) * 1000000000) + log.observed_nano
        as observed_time_unix_nano,
    log.severity_number,
    log.severity_text,
    log.event_name,
    coalesce(log.body, log.body_json::text) as body,
    log.attributes,
    resource.component,
    log.flags,
    scope.name as scope_name,
    scope.version as scope_version,
    resource.attributes as resource
from (
    select
        live.time, live.time_nano, live.observed_time, live.observed_nano, live.trace_id, live.span_id,
        live.flags, live.severity_number, live.severity_text, live.event_name, live.body,
        live.body_json, live.attributes, live.resource_id, live.scope_id
    from relayscope_store.log as live
    union all
    select
        r.time, r.time_nano, c.observed_time[r.position], c.observed_nano[r.position], held.trace_id,
        c.span_id[r.position], c.flags[r.position], r.severity_number, c.severity_text[r.position],
        s.event_name, c.body[r.position], c.body_json[r.position], c.attributes[r.position],
        r.resource_id, c.scope_id[r.position]
    from (
        select
            trace_id, segment, place >> 8 as chunk, array_agg((place & 255) + 1) as position,
            array_agg(time) as time, array_agg(time_nano) as time_nano,
            array_agg(severity_number) as severity_number, array_agg(shape) as shape,
            array_agg(resource_id) as resource_id
        from relayscope_store.log_sealed
        group by trace_id, segment, place >> 8
    ) as held
    cross join lateral (
        select
            -- Through here, so that the planner does not take the records before the chunk.
            held.position, held.time, held.time_nano, held.severity_number, held.shape,
            held.resource_id,
            -- What something is added to is a value, in memory.
            packed.observed_time || '{}' as observed_time,
            packed.observed_nano || '{}' as observed_nano,
            packed.span_id || '{}' as span_id,
            packed.flags || '{}' as flags,
            packed.severity_text || '{}' as severity_text,
            packed.body || '{}' as body,
            packed.body_json || '{}' as body_json,
            array(select jsonb_array_elements(packed.attributes)) as attributes,
            packed.scope_id || '{}' as scope_id
        from relayscope_store.log_chunk as packed
        where packed.segment = held.segment and packed.chunk = held.chunk
        offset 0
    ) as c
    cross join lateral unnest(
        c.position, c.time, c.time_nano, c.severity_number, c.shape, c.resource_id
    ) as r (position, time, time_nano, severity_number, shape, resource_id)
    inner join relayscope_store.log_shape as s on s.id = r.shape
) as log
left join relayscope_store.resource on resource.id = log.resource_id
left join relayscope_store.scope on scope.id = log.scope_id;

create function relayscope.logs_for_trace(id uuid) returns setof relayscope.logs
language sql stable parallel safe
as $$
    select log.*
    from relayscope_store.log_of_trace as log
    where log.trace_id = logs_for_trace.id
    order by log.time, log.time_unix_nano
$$;

create function relayscope.trace(id uuid) returns table (
    "time" timestamptz,
    time_unix_nano numeric,
    what text,
    component text,
    span_id text,
    parent_span_id text,
    name text,
    duration interval,
    status text,
    body text,
    attributes jsonb
)
language sql stable parallel safe
as $$
    select
        spans.start_time as time,
        spans.start_unix_nano as time_unix_nano,
        'span' as what,
        spans.component,
        spans.span_id,
        spans.parent_span_id,
        spans.name,
        spans.duration,
        spans.status,
        spans.status_message as body,
        spans.attributes
    from relayscope.spans
    where spans.trace_id = trace.id
    union all
    select
        logs.time,
        logs.time_unix_nano,
        case when logs.event_name = 'mcp.message' then 'message' else 'log' end,
        logs.component,
        logs.span_id,
        null,
        case
            when logs.event_name = 'mcp.message' then concat_ws(
                ' ',
                relayscope_store.direction_of(logs.attributes),
                relayscope_store.kind_of(logs.attributes),
                relayscope_store.method_of(logs.attributes)
            )
            else logs.event_name
        end,
        null,
        logs.severity_text,
        logs.body,
        logs.attributes
    from relayscope.logs_for_trace(trace.id) as logs
    order by time, time_unix_nano, what desc
$$;
