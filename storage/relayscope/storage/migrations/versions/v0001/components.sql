-- What components come to, and what they ask of each other.
--
-- Functions take the bounds of a time, which a view over sums could not pass on to the partitions. They
-- read the views only, so that who may read those may call them; each is one statement, which the
-- planner puts in place of the call.

-- What the sums count, as narrow as they need it: readers may read these views and no table.
create view relayscope_store.seen as
select
    span.resource_id,
    span.start_time as time,
    1 as spans,
    0 as logs,
    0 as messages,
    (span.status_code = 2)::integer as errors
from relayscope_store.every_span as span
union all
select
    log.resource_id,
    log.time,
    0 as spans,
    1 as logs,
    (log.event_name is not distinct from 'mcp.message')::integer as messages,
    (log.severity_number >= 17)::integer as errors
from relayscope_store.every_log as log;

create function relayscope_store.process_of(resource jsonb) returns text
language sql immutable parallel safe
return coalesce(
    resource ->> 'service.instance.id',
    (resource ->> 'host.name') || '/' || (resource ->> 'process.pid')
);

create view relayscope_store.process as
select
    resource.id,
    resource.component,
    resource.attributes ->> 'service.version' as version,
    resource.attributes ->> 'telemetry.sdk.language' as language,
    relayscope_store.process_of(resource.attributes) as name
from relayscope_store.resource;

create function relayscope.components(
    from_time timestamptz default '-infinity', to_time timestamptz default 'infinity'
) returns table (
    component text,
    processes bigint,
    versions text [],
    languages text [],
    first_time timestamptz,
    last_time timestamptz,
    spans bigint,
    logs bigint,
    messages bigint,
    errors bigint
)
language sql stable parallel safe
as $$
    select
        process.component,
        count(*),
        array_agg(distinct process.version) filter (where process.version is not null),
        array_agg(distinct process.language) filter (where process.language is not null),
        min(total.first_time),
        max(total.last_time),
        sum(total.spans)::bigint,
        sum(total.logs)::bigint,
        sum(total.messages)::bigint,
        sum(total.errors)::bigint
    from (
        select
            seen.resource_id,
            min(seen.time) as first_time,
            max(seen.time) as last_time,
            sum(seen.spans) as spans,
            sum(seen.logs) as logs,
            sum(seen.messages) as messages,
            sum(seen.errors) as errors
        from relayscope_store.seen
        where seen.time >= from_time and seen.time < to_time
        group by seen.resource_id
    ) as total
    join relayscope_store.process on process.id = total.resource_id
    group by process.component
$$;

create view relayscope.components as select * from relayscope.components();

-- A call as its maker's span has it, and who served it.
create view relayscope_store.call_made as
select
    asked.trace_id,
    asked.span_id,
    asked.start_time,
    asked.end_time,
    resource.component,
    relayscope_store.peer_of_span(asked.attributes) as peer,
    relayscope_store.method_of(asked.attributes) as method,
    asked.status_code = 2 or asked.attributes ? 'error.type' as failed,
    relayscope_store.outcome_of(asked.status_code, asked.attributes)
    in ('unanswered', 'transport_error') as unanswered
from relayscope_store.every_span as asked
left join relayscope_store.resource on resource.id = asked.resource_id
where asked.kind = 3 and relayscope_store.is_call(asked.attributes);

create view relayscope_store.call_served as
select served.trace_id, served.parent_span_id, served.start_time, resource.component
from relayscope_store.every_span as served
left join relayscope_store.resource on resource.id = served.resource_id
where served.kind = 2;

-- A relay of which one leg is not seen passes on the trace context that it was given, so that a call
-- has several spans below it that say they served it. The first one did: it caused the others.
create function relayscope.service_calls(
    from_time timestamptz default '-infinity', to_time timestamptz default 'infinity'
) returns table (
    caller text,
    callee text,
    method text,
    calls bigint,
    failed bigint,
    mean interval,
    p50 interval,
    p95 interval,
    longest interval,
    first_time timestamptz,
    last_time timestamptz,
    unanswered bigint
)
language sql stable parallel safe
as $$
    select
        call.caller,
        call.callee,
        call.method,
        count(*),
        count(*) filter (where call.failed),
        avg(call.duration),
        percentile_cont(0.5) within group (order by call.duration),
        percentile_cont(0.95) within group (order by call.duration),
        max(call.duration),
        min(call.start_time),
        max(call.start_time),
        count(*) filter (where call.unanswered)
    from (
        select
            made.component as caller,
            coalesce(served.component, made.peer) as callee,
            made.method,
            made.failed,
            made.unanswered,
            case
                when not made.unanswered
                    then nullif(made.end_time, timestamptz 'epoch') - made.start_time
            end as duration,
            made.start_time
        from relayscope_store.call_made as made
        left join (
            select distinct on (child.trace_id, child.parent_span_id)
                child.trace_id, child.parent_span_id, child.component
            from relayscope_store.call_served as child
            -- Another machine's clock may be an hour off; beyond that only the peer's address is
            -- known.
            where child.start_time >= from_time - interval '1 hour'
                and child.start_time < to_time + interval '1 hour'
            order by child.trace_id, child.parent_span_id, child.start_time
        ) as served
            on served.trace_id = made.trace_id and served.parent_span_id = made.span_id
        where made.start_time >= from_time and made.start_time < to_time
    ) as call
    group by call.caller, call.callee, call.method
$$;

create view relayscope.service_calls as select * from relayscope.service_calls();
