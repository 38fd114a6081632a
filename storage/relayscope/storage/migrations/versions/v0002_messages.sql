-- Messages, the calls they make, and the legs of a relayed call.
--
-- What belongs to a span is looked up by its trace id alone, in every partition, for about 2 µs each. A
-- bound on the time would leave most of them out, and makes PostgreSQL read a day's index for each
-- look-up: it cannot know how much of the index a bound that comes with the row leaves.

create view relayscope.messages as
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
    log.body is not null and (
        log.attributes ?| '{relayscope.message.sha256,relayscope.body.sha256}'
        or coalesce(log.attributes -> 'relayscope.normalized' ? 'truncated', false)
    ) as truncated,
    log.odd,
    log.severity_number,
    coalesce(log.body, log.body_json::text) as body,
    log.attributes,
    resource.attributes as resource
from relayscope_store.every_log as log
left join relayscope_store.resource on resource.id = log.resource_id
where log.event_name = 'mcp.message';

-- Odd messages have severity WARN, by which an index finds them.
create view relayscope.odd_messages as
select * from relayscope.messages where odd is not null and severity_number >= 13;

create function relayscope_store.outcome(
    status_code smallint, error_type text, error_code bigint
) returns text
language sql immutable parallel safe
return case
    when error_type = 'tool_error' then 'tool_error'
    when error_type in ('relayscope.unanswered', 'timeout', 'cancelled') then 'unanswered'
    when error_code is not null or error_type ~ '^-?[0-9]+$|^_OTHER$' then 'protocol_error'
    when error_type is not null then 'transport_error'
    when status_code = 2 then 'protocol_error'
    else 'ok'
end;

create view relayscope.calls as
select
    span.trace_id,
    encode(span.span_id, 'hex') as span_id,
    resource.component,
    case span.kind when 2 then 'server' else 'client' end as side,
    relayscope_store.peer_of_span(span.attributes) as peer,
    coalesce(span.attributes ->> 'mcp.method.name', span.attributes ->> 'rpc.method') as method,
    span.attributes ->> 'gen_ai.tool.name' as tool,
    span.start_time as time,
    span.end_time - span.start_time as duration,
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
        order by log.time
        limit 1
    ) as answer
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
    answer.time - request.time as duration,
    case
        when answer.kind = 'error' then 'protocol_error'
        when answer.body ~ '"isError"\s*:\s*true' then 'tool_error'
        when answer.kind = 'result' then 'ok'
        else 'unanswered'
    end as outcome,
    null as error_type,
    answer.error_code,
    request.request_id,
    coalesce(request.body, request.body_json::text) as request,
    answer.body as answer
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
    select log.time, log.kind, log.error_code, coalesce(log.body, log.body_json::text) as body
    from relayscope_store.every_log as log
    where log.trace_id = request.trace_id and log.span_id = request.span_id
        and log.resource_id = request.resource_id
        and log.event_name = 'mcp.message' and log.kind in ('result', 'error')
    order by log.time
    limit 1
) as answer on true
where request.event_name = 'mcp.message' and request.kind = 'request' and ended.found is null;

-- JSON that cannot be read, is too deep, or holds what jsonb cannot, is null.
create function relayscope_store.json_or_null(text text) returns jsonb
language plpgsql immutable strict parallel safe
as $$
begin
    return text::jsonb;
exception
    when data_exception or program_limit_exceeded or statement_too_complex then return null;
end
$$;

-- What a message says beyond its envelope: parameters without the trace context, result or error.
create function relayscope_store.said(text text) returns jsonb
language sql immutable strict parallel safe
as $$
    select case
        when jsonb_typeof(message) <> 'object' then message
        when message ? 'method' and jsonb_typeof(message -> 'params') = 'object'
            then (message -> 'params') - '_meta'::text
        when message ? 'method' then coalesce(nullif(message -> 'params', 'null'), '{}')
        else message - '{jsonrpc,id}'::text []
    end
    from relayscope_store.json_or_null(text) as message
$$;

create view relayscope.legs as
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
    asked.end_time - asked.start_time as duration,
    (served.end_time - served.start_time) - (asked.end_time - asked.start_time) as overhead,
    relayscope_store.outcome(
        asked.status_code,
        asked.attributes ->> 'error.type',
        relayscope_store.whole_number(asked.attributes ->> 'rpc.response.status_code')
    ) as outcome,
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
