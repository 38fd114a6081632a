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
        where resource.id = any(total.resources)
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
        where earlier.trace_id = span.trace_id and earlier.start_time < span.start_time
        limit 1
    ) as before on true
    where before.found is null
    group by span.start_time, span.trace_id
) as first
cross join lateral (
    select
        max(span.end_time) as end_time,
        count(*) as spans,
        count(*) filter (where span.status_code = 2 or span.attributes ? 'error.type') as errors,
        array_agg(span.name order by span.start_time, span.start_nano, span.span_id) as names,
        array_agg(span.resource_id order by span.start_time, span.start_nano, span.span_id)
            as resources
    from relayscope_store.every_span as span
    where span.trace_id = first.trace_id
) as total;

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
    from relayscope.logs
    where logs.trace_id = trace.id
    order by time, time_unix_nano, what desc
$$;

create function relayscope.logs_for_trace(id uuid) returns setof relayscope.logs
language sql stable parallel safe
as $$
    select logs.*
    from relayscope.logs
    where logs.trace_id = logs_for_trace.id
    order by logs.time, logs.time_unix_nano
$$;
