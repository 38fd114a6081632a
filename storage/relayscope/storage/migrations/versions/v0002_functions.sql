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

create view relayscope_store.process as
select
    resource.id,
    resource.component,
    resource.attributes ->> 'service.version' as version,
    resource.attributes ->> 'telemetry.sdk.language' as language,
    coalesce(
        resource.attributes ->> 'service.instance.id',
        (resource.attributes ->> 'host.name') || '/' || (resource.attributes ->> 'process.pid')
    ) as name
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
    coalesce(asked.attributes ->> 'mcp.method.name', asked.attributes ->> 'rpc.method') as method,
    asked.status_code = 2 or asked.attributes ? 'error.type' as failed
from relayscope_store.every_span as asked
left join relayscope_store.resource on resource.id = asked.resource_id
where asked.kind = 3 and asked.attributes ? 'jsonrpc.request.id';

create view relayscope_store.call_served as
select served.trace_id, served.parent_span_id, served.start_time, resource.component
from relayscope_store.every_span as served
left join relayscope_store.resource on resource.id = served.resource_id
where served.kind = 2;

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
    last_time timestamptz
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
        max(call.start_time)
    from (
        select
            made.component as caller,
            coalesce(served.component, made.peer) as callee,
            made.method,
            made.failed,
            made.end_time - made.start_time as duration,
            made.start_time
        from relayscope_store.call_made as made
        -- Another machine's clock may be an hour off; beyond that only the peer's address is known.
        left join relayscope_store.call_served as served
            on served.trace_id = made.trace_id and served.parent_span_id = made.span_id
            and served.start_time >= from_time - interval '1 hour'
            and served.start_time < to_time + interval '1 hour'
        where made.start_time >= from_time and made.start_time < to_time
    ) as call
    group by call.caller, call.callee, call.method
$$;

create view relayscope.service_calls as select * from relayscope.service_calls();

-- What is numbered: the messages of a channel; and everything that a process has sent, in the order in
-- which it did: a span when it ended. `stored_time` is what picks the partitions.
create view relayscope_store.numbered as
select
    log.time as stored_time, log.time, log.resource_id, log.channel, log.peer, log.sequence
from relayscope_store.every_log as log
where log.event_name = 'mcp.message' and log.channel is not null and log.sequence is not null
union all
select
    log.time as stored_time,
    log.time,
    log.resource_id,
    null as channel,
    null as peer,
    relayscope_store.whole_number(log.attributes ->> 'relayscope.delivery.sequence') as sequence
from relayscope_store.every_log as log
where log.attributes ? 'relayscope.delivery.sequence'
union all
select
    span.start_time as stored_time,
    span.end_time as time,
    span.resource_id,
    null as channel,
    null as peer,
    relayscope_store.whole_number(span.attributes ->> 'relayscope.delivery.sequence') as sequence
from relayscope_store.every_span as span
where span.attributes ? 'relayscope.delivery.sequence';

create function relayscope.delivery(
    from_time timestamptz default '-infinity', to_time timestamptz default 'infinity'
) returns table (
    component text,
    process text,
    channel text,
    peer text,
    first_sequence bigint,
    last_sequence bigint,
    stored bigint,
    missing bigint,
    first_time timestamptz,
    last_time timestamptz
)
language sql stable parallel safe
as $$
    select
        process.component,
        process.name,
        total.channel,
        total.peer,
        total.first_sequence,
        total.last_sequence,
        total.stored,
        total.last_sequence - total.first_sequence + 1 - total.stored,
        total.first_time,
        total.last_time
    from (
        select
            one.resource_id,
            one.channel,
            max(one.peer) as peer,
            min(one.sequence) as first_sequence,
            max(one.sequence) as last_sequence,
            count(*) as stored,
            min(one.first_time) as first_time,
            max(one.last_time) as last_time
        from (
            -- A number that is stored twice counts once.
            select
                numbered.resource_id,
                numbered.channel,
                numbered.sequence,
                max(numbered.peer) as peer,
                min(numbered.time) as first_time,
                max(numbered.time) as last_time
            from relayscope_store.numbered
            where numbered.time >= from_time and numbered.time < to_time
                -- Spans of more than a day, at the edge of the time, count as missing.
                and numbered.stored_time >= from_time - interval '1 day'
                and numbered.stored_time < to_time
                and numbered.sequence is not null
            group by numbered.resource_id, numbered.channel, numbered.sequence
        ) as one
        group by one.resource_id, one.channel
    ) as total
    join relayscope_store.process on process.id = total.resource_id
$$;

create view relayscope.delivery as select * from relayscope.delivery();

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
                logs.attributes ->> 'relayscope.message.direction',
                logs.attributes ->> 'relayscope.message.kind',
                coalesce(logs.attributes ->> 'mcp.method.name', logs.attributes ->> 'rpc.method')
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

-- Text to look for, as a pattern of LIKE, which trigram indexes know.
create function relayscope_store.holding(text text) returns text
language sql immutable strict parallel safe
return '%' || replace(replace(replace(text, '\', '\\'), '%', '\%'), '_', '\_') || '%';

create function relayscope.search(
    text text,
    from_time timestamptz default now() - interval '7 days',
    to_time timestamptz default 'infinity',
    component text default null,
    peer text default null,
    method text default null,
    tool text default null,
    most integer default 1000
) returns table (
    "time" timestamptz,
    time_unix_nano numeric,
    trace_id uuid,
    span_id text,
    component text,
    event_name text,
    severity_number smallint,
    body text,
    attributes jsonb
)
language sql stable parallel safe
as $$
    select
        logs.time,
        logs.time_unix_nano,
        logs.trace_id,
        logs.span_id,
        logs.component,
        logs.event_name,
        logs.severity_number,
        logs.body,
        logs.attributes
    from relayscope.logs
    where logs.time >= search.from_time and logs.time < search.to_time
        and logs.body like relayscope_store.holding(search.text)
        and (search.component is null or logs.component = search.component)
        and (search.peer is null or logs.attributes ->> 'relayscope.peer' = search.peer)
        and (
            search.method is null
            or coalesce(logs.attributes ->> 'mcp.method.name', logs.attributes ->> 'rpc.method')
            = search.method
        )
        and (search.tool is null or logs.attributes ->> 'gen_ai.tool.name' = search.tool)
    order by logs.time desc
    limit search.most
$$;
