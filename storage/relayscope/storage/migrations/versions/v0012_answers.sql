create or replace view relayscope.messages as
select
    log.channel || '/' || log.sequence as message_id,
    log.time,
    trunc(extract(epoch from log.time) * 1000000000) + log.time_nano as time_unix_nano,
    log.trace_id,
    encode(log.span_id, 'hex') as span_id,
    resource.component,
    log.peer,
    log.direction,
    log.kind,
    log.method,
    log.tool,
    log.request_id,
    log.error_code,
    log.channel,
    log.sequence,
    log.size,
    log.attributes ->> 'relayscope.message.sha256' as sha256,
    -- Cut where it was recorded, on its way here, or here.
    -- In one look at the attributes: each look takes those of a whole chunk out of TOAST.
    log.body is not null and coalesce(
        log.attributes @? '$ ? (exists(@."relayscope.message.sha256")
            || exists(@."relayscope.body.sha256")
            || @."relayscope.normalized"[*] == "truncated")',
        false
    ) as truncated,
    log.odd,
    log.severity_number,
    coalesce(log.body, log.body_json::text) as body,
    log.attributes,
    resource.attributes as resource,
    relayscope_store.json_or_null(coalesce(log.body, log.body_json::text)) as json
from relayscope_store.every_log as log
left join relayscope_store.resource on resource.id = log.resource_id
where case when log.event_name = 'mcp.message' then true else false end;

create or replace view relayscope.odd_messages as
select * from relayscope.messages where odd is not null and severity_number >= 13;

create or replace function relayscope_store.outcome(
    status_code smallint, error_type text, error_code bigint
) returns text
language sql immutable parallel safe
return case
    when error_type = 'tool_error' then 'tool_error'
    -- What relayscope has a name for is why no answer is known.
    when error_type in ('timeout', 'cancelled') or starts_with(error_type, 'relayscope.')
        then 'unanswered'
    when error_code is not null or error_type ~ '^-?[0-9]+$|^_OTHER$' then 'protocol_error'
    when error_type is not null then 'transport_error'
    when status_code = 2 then 'protocol_error'
    else 'ok'
end;

-- What has no answer took no time that could be compared: it was waited for.
create or replace view relayscope.calls as
select
    call.trace_id,
    call.span_id,
    call.component,
    call.side,
    call.peer,
    call.method,
    call.tool,
    call.time,
    case when call.outcome not in ('unanswered', 'transport_error') then call.over_after end
        as duration,
    call.outcome,
    call.error_type,
    call.error_code,
    call.request_id,
    call.request,
    call.answer,
    case when call.outcome in ('unanswered', 'transport_error') then call.over_after end as waited,
    call.odd,
    relayscope_store.json_or_null(call.request) as request_json,
    relayscope_store.json_or_null(call.answer) as answer_json
from (
    select
        span.trace_id,
        encode(span.span_id, 'hex') as span_id,
        resource.component,
        case span.kind when 2 then 'server' else 'client' end as side,
        relayscope_store.peer_of_span(span.attributes) as peer,
        coalesce(span.attributes ->> 'mcp.method.name', span.attributes ->> 'rpc.method') as method,
        span.attributes ->> 'gen_ai.tool.name' as tool,
        span.start_time as time,
        span.end_time - span.start_time as over_after,
        relayscope_store.outcome(
            span.status_code,
            span.attributes ->> 'error.type',
            relayscope_store.whole_number(span.attributes ->> 'rpc.response.status_code')
        ) as outcome,
        span.attributes ->> 'error.type' as error_type,
        relayscope_store.whole_number(span.attributes ->> 'rpc.response.status_code') as error_code,
        span.attributes ->> 'jsonrpc.request.id' as request_id,
        (
            select coalesce(log.body, log.body_json::text)
            from relayscope_store.every_log as log
            where log.trace_id = span.trace_id and log.span_id = span.span_id
                and log.resource_id = span.resource_id
                and log.event_name = 'mcp.message' and log.kind = 'request'
            order by log.time
            limit 1
        ) as request,
        (
            select coalesce(log.body, log.body_json::text)
            from relayscope_store.every_log as log
            where log.trace_id = span.trace_id and log.span_id = span.span_id
                and log.resource_id = span.resource_id
                and log.event_name = 'mcp.message' and log.kind in ('result', 'error')
            -- What answers by its form alone comes after what does.
            order by log.odd is not distinct from 'id_type', log.time
            limit 1
        ) as answer,
        (
            select log.odd
            from relayscope_store.every_log as log
            where log.trace_id = span.trace_id and log.span_id = span.span_id
                and log.resource_id = span.resource_id
                and log.event_name = 'mcp.message' and log.odd is not null
            order by log.time
            limit 1
        ) as odd
    from relayscope_store.every_span as span
    left join relayscope_store.resource on resource.id = span.resource_id
    where span.kind in (2, 3) and span.attributes ? 'jsonrpc.request.id'
    union all
    -- Requests without a span: it has not ended yet, or its process did first.
    select
        request.trace_id,
        encode(request.span_id, 'hex') as span_id,
        resource.component,
        case request.direction when 'received' then 'server' else 'client' end as side,
        request.peer,
        request.method,
        request.tool,
        request.time,
        answer.time - request.time as over_after,
        case
            when answer.odd in ('id_type', 'late_answer') then 'unanswered'
            when answer.kind = 'error' then 'protocol_error'
            when answer.body ~ '"isError"\s*:\s*true' then 'tool_error'
            when answer.kind = 'result' then 'ok'
            else 'unanswered'
        end as outcome,
        null as error_type,
        answer.error_code,
        request.request_id,
        coalesce(request.body, request.body_json::text) as request,
        answer.body as answer,
        coalesce(request.odd, answer.odd) as odd
    from relayscope_store.every_log as request
    left join relayscope_store.resource on resource.id = request.resource_id
    -- Laterals with a limit are looked up for each request; nothing else can be afforded for the newest.
    left join lateral (
        select true as found
        from relayscope_store.every_span as span
        where span.trace_id = request.trace_id and span.span_id = request.span_id
            and span.resource_id = request.resource_id
            and span.kind in (2, 3) and span.attributes ? 'jsonrpc.request.id'
        limit 1
    ) as ended on true
    left join lateral (
        select
            log.time, log.kind, log.error_code, log.odd, coalesce(log.body, log.body_json::text) as body
        from relayscope_store.every_log as log
        where log.trace_id = request.trace_id and log.span_id = request.span_id
            and log.resource_id = request.resource_id
            and log.event_name = 'mcp.message' and log.kind in ('result', 'error')
        order by log.odd is not distinct from 'id_type', log.time
        limit 1
    ) as answer on true
    where request.event_name = 'mcp.message' and request.kind = 'request' and ended.found is null
) as call;

create or replace view relayscope.legs as
select
    asked.trace_id,
    asked.start_time as time,
    resource.component,
    relayscope_store.peer_of_span(served.attributes) as client,
    relayscope_store.peer_of_span(asked.attributes) as peer,
    coalesce(asked.attributes ->> 'mcp.method.name', asked.attributes ->> 'rpc.method') as method,
    asked.attributes ->> 'gen_ai.tool.name' as tool,
    coalesce(served.attributes ->> 'mcp.method.name', served.attributes ->> 'rpc.method')
        as asked_method,
    served.attributes ->> 'gen_ai.tool.name' as asked_tool,
    case when took.outcome not in ('unanswered', 'transport_error') then took.asked end as duration,
    -- None of a relay that answered without waiting for its own call.
    case
        when took.outcome not in ('unanswered', 'transport_error')
            and took.served_outcome not in ('unanswered', 'transport_error')
            and took.served >= took.asked then took.served - took.asked
    end as overhead,
    took.outcome,
    texts.request_in,
    texts.request_out,
    texts.answer_in,
    texts.answer_out,
    served.attributes ->> 'jsonrpc.request.id' as id_in,
    asked.attributes ->> 'jsonrpc.request.id' as id_out,
    served.attributes ->> 'jsonrpc.request.id'
    is distinct from asked.attributes ->> 'jsonrpc.request.id' as id_changed,
    (
        coalesce(served.attributes ->> 'mcp.method.name', served.attributes ->> 'rpc.method'),
        served.attributes ->> 'gen_ai.tool.name'
    ) is distinct from (
        coalesce(asked.attributes ->> 'mcp.method.name', asked.attributes ->> 'rpc.method'),
        asked.attributes ->> 'gen_ai.tool.name'
    ) as name_changed,
    relayscope_store.said(texts.request_in) <> relayscope_store.said(texts.request_out)
        as params_changed,
    relayscope_store.said(texts.answer_in) <> relayscope_store.said(texts.answer_out)
        as answer_changed,
    encode(asked.span_id, 'hex') as span_id,
    encode(served.span_id, 'hex') as parent_span_id
from relayscope_store.every_span as asked
left join relayscope_store.resource on resource.id = asked.resource_id
cross join lateral (
    select span.*
    from relayscope_store.every_span as span
    where span.trace_id = asked.trace_id and span.span_id = asked.parent_span_id
        and span.resource_id = asked.resource_id
        and span.kind = 2 and span.attributes ? 'jsonrpc.request.id'
    limit 1
) as served
cross join lateral (
    select
        asked.end_time - asked.start_time as asked,
        served.end_time - served.start_time as served,
        relayscope_store.outcome(
            asked.status_code,
            asked.attributes ->> 'error.type',
            relayscope_store.whole_number(asked.attributes ->> 'rpc.response.status_code')
        ) as outcome,
        relayscope_store.outcome(
            served.status_code,
            served.attributes ->> 'error.type',
            relayscope_store.whole_number(served.attributes ->> 'rpc.response.status_code')
        ) as served_outcome
) as took
cross join lateral (
    select
        min(record.text) filter (where not record.of_asked and record.kind = 'request')
            as request_in,
        min(record.text) filter (where record.of_asked and record.kind = 'request')
            as request_out,
        min(record.text) filter (where record.of_asked and record.kind <> 'request') as answer_in,
        min(record.text) filter (where not record.of_asked and record.kind <> 'request')
            as answer_out
    from (
        select
            log.span_id = asked.span_id as of_asked,
            log.kind,
            coalesce(log.body, log.body_json::text) as text
        from relayscope_store.every_log as log
        where log.trace_id = asked.trace_id and log.span_id in (asked.span_id, served.span_id)
            and log.resource_id = asked.resource_id
            and log.event_name = 'mcp.message' and log.kind in ('request', 'result', 'error')
    ) as record
) as texts
where asked.kind = 3 and asked.attributes ? 'jsonrpc.request.id';

create or replace view relayscope_store.call_made as
select
    asked.trace_id,
    asked.span_id,
    asked.start_time,
    asked.end_time,
    resource.component,
    relayscope_store.peer_of_span(asked.attributes) as peer,
    coalesce(asked.attributes ->> 'mcp.method.name', asked.attributes ->> 'rpc.method') as method,
    asked.status_code = 2 or asked.attributes ? 'error.type' as failed,
    relayscope_store.outcome(
        asked.status_code,
        asked.attributes ->> 'error.type',
        relayscope_store.whole_number(asked.attributes ->> 'rpc.response.status_code')
    ) in ('unanswered', 'transport_error') as unanswered
from relayscope_store.every_span as asked
left join relayscope_store.resource on resource.id = asked.resource_id
where asked.kind = 3 and asked.attributes ? 'jsonrpc.request.id';

-- A function's columns cannot be appended to.
drop view relayscope.service_calls;
drop function relayscope.service_calls(timestamptz, timestamptz);

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
            case when not made.unanswered then made.end_time - made.start_time end as duration,
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
