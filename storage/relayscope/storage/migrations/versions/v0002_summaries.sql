-- What a trace, a component, a pair of components comes to.

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

