-- Messages, the calls they make, and the legs of a relayed call.
--
-- What belongs to a span is looked up by its trace id alone, in every partition, for about 2 µs each. A
-- bound on the time would leave most of them out, and makes PostgreSQL read a day's index for each
-- look-up: it cannot know how much of the index a bound that comes with the row leaves.

-- The planner takes one in two hundred for what an expression is equal to, and so few messages that
-- reading all of them is as good as the index that has the newest first. Half of all, it takes for a
-- case.
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

-- Odd messages have severity WARN, by which an index finds them.
create view relayscope.odd_messages as
select * from relayscope.messages where odd is not null and severity_number >= 13;

-- What has no answer took no time that could be compared: it was waited for.
create view relayscope.calls as
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
    relayscope_store.json_or_null(call.answer) as answer_json,
    call.attributes
from (
    select
        span.trace_id,
        encode(span.span_id, 'hex') as span_id,
        resource.component,
        case span.kind when 2 then 'server' else 'client' end as side,
        relayscope_store.peer_of_span(span.attributes) as peer,
        relayscope_store.method_of(span.attributes) as method,
        relayscope_store.tool_of(span.attributes) as tool,
        span.start_time as time,
        nullif(span.end_time, timestamptz 'epoch') - span.start_time as over_after,
        relayscope_store.outcome_of(span.status_code, span.attributes) as outcome,
        relayscope_store.error_type_of(span.attributes) as error_type,
        relayscope_store.error_code_of(span.attributes) as error_code,
        relayscope_store.request_id_of(span.attributes) as request_id,
        said.request,
        said.answer,
        said.odd,
        span.attributes
    from relayscope_store.every_span as span
    left join relayscope_store.resource on resource.id = span.resource_id
    -- Planned and looked up once for all three, and not at all where none of them is read.
    left join lateral (
        select
            (array_agg(record.text order by record.time) filter (where record.kind = 'request'))[1]
                as request,
            -- What answers by its form alone comes after what does.
            (
                array_agg(
                    record.text order by relayscope_store.answers_nothing(record.odd), record.time
                ) filter (where record.kind in ('result', 'error'))
            )[1] as answer,
            -- What is wrong with an answer comes before what is odd about the request.
            (
                array_agg(
                    record.odd
                    order by relayscope_store.answers_nothing(record.odd) desc,
                        record.kind is distinct from 'request' desc, record.time
                ) filter (where record.odd is not null)
            )[1] as odd
        from (
            select log.time, log.kind, log.odd, coalesce(log.body, log.body_json::text) as text
            from relayscope_store.every_log as log
            where log.trace_id = span.trace_id and log.span_id = span.span_id
                and log.resource_id = span.resource_id and log.event_name = 'mcp.message'
                and (log.kind in ('request', 'result', 'error') or log.odd is not null)
            order by log.time
            -- There are two or three, unless a stranger gives all records the same span: PostgreSQL
            -- keeps less than 1 GB of texts as a list.
            limit 20
        ) as record
    ) as said on true
    where span.kind in (2, 3) and relayscope_store.is_call(span.attributes)
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
            when relayscope_store.answers_nothing(answer.odd) then 'unanswered'
            when answer.kind = 'error' then 'protocol_error'
            when answer.kind is distinct from 'result' then 'unanswered'
            when relayscope_store.is_tool_error(answer.body) then 'tool_error'
            else 'ok'
        end as outcome,
        null as error_type,
        answer.error_code,
        request.request_id,
        coalesce(request.body, request.body_json::text) as request,
        case when answer.kind in ('result', 'error') then answer.body end as answer,
        coalesce(answer.odd, request.odd) as odd,
        request.attributes
    from relayscope_store.every_log as request
    left join relayscope_store.resource on resource.id = request.resource_id
    -- Laterals with a limit are looked up for each request; nothing else can be afforded for the newest.
    -- Read once: it may be in a chunk, and each look at that takes as long as a whole look-up.
    cross join lateral (select request.span_id offset 0) as asked
    -- Nearly all have one that began about when they did, which is found in the first partition that
    -- is looked at. A later bound, too, would have PostgreSQL read a day's index by time.
    left join lateral (
        select true as found
        from relayscope_store.every_span as span
        where span.trace_id = request.trace_id and span.span_id = asked.span_id
            and span.resource_id = request.resource_id
            and span.start_time >= request.time - interval '1 minute'
            and span.kind in (2, 3) and relayscope_store.is_call(span.attributes)
        limit 1
    ) as at_once on true
    left join lateral (
        select true as found
        from relayscope_store.every_span as span
        where at_once.found is null
            and span.trace_id = request.trace_id and span.span_id = asked.span_id
            and span.resource_id = request.resource_id
            and span.kind in (2, 3) and relayscope_store.is_call(span.attributes)
        limit 1
    ) as ended on true
    -- One row always, so that it is not looked up at all where nothing of it is read.
    left join lateral (
        select
            min(first.time) as time,
            min(first.kind) as kind,
            min(first.error_code) as error_code,
            min(first.odd) as odd,
            min(first.body) as body
        from (
            select
                log.time, log.kind, log.error_code, log.odd,
                coalesce(log.body, log.body_json::text) as body
            from relayscope_store.every_log as log
            where log.trace_id = request.trace_id and log.span_id = request.span_id
                and log.resource_id = request.resource_id
                and log.event_name = 'mcp.message'
                and (
                    log.kind in ('result', 'error')
                    -- It may have been meant as the answer.
                    or (log.odd is not null and log.kind is distinct from 'request')
                )
            order by log.kind is null or log.kind not in ('result', 'error'),
                relayscope_store.answers_nothing(log.odd), log.time
            limit 1
        ) as first
    ) as answer on true
    where request.event_name = 'mcp.message' and request.kind = 'request'
        and at_once.found is null and ended.found is null
) as call;

create view relayscope.legs as
select
    asked.trace_id,
    asked.start_time as time,
    resource.component,
    relayscope_store.peer_of_span(served.attributes) as client,
    relayscope_store.peer_of_span(asked.attributes) as peer,
    relayscope_store.method_of(asked.attributes) as method,
    relayscope_store.tool_of(asked.attributes) as tool,
    relayscope_store.method_of(served.attributes) as asked_method,
    relayscope_store.tool_of(served.attributes) as asked_tool,
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
    relayscope_store.request_id_of(served.attributes) as id_in,
    relayscope_store.request_id_of(asked.attributes) as id_out,
    relayscope_store.request_id_of(served.attributes)
    is distinct from relayscope_store.request_id_of(asked.attributes) as id_changed,
    (
        relayscope_store.method_of(served.attributes),
        relayscope_store.tool_of(served.attributes)
    ) is distinct from (
        relayscope_store.method_of(asked.attributes),
        relayscope_store.tool_of(asked.attributes)
    ) as name_changed,
    relayscope_store.said(texts.request_in) <> relayscope_store.said(texts.request_out)
        as params_changed,
    relayscope_store.said(texts.answer_in) <> relayscope_store.said(texts.answer_out)
        as answer_changed,
    encode(asked.span_id, 'hex') as span_id,
    encode(served.span_id, 'hex') as parent_span_id,
    relayscope_store.arguments_of(texts.request_in)
    <> relayscope_store.arguments_of(texts.request_out) as arguments_changed
from relayscope_store.every_span as asked
left join relayscope_store.resource on resource.id = asked.resource_id
cross join lateral (
    select span.*
    from relayscope_store.every_span as span
    where span.trace_id = asked.trace_id and span.span_id = asked.parent_span_id
        and span.resource_id = asked.resource_id
        and span.kind = 2 and relayscope_store.is_call(span.attributes)
    limit 1
) as served
cross join lateral (
    select
        nullif(asked.end_time, timestamptz 'epoch') - asked.start_time as asked,
        nullif(served.end_time, timestamptz 'epoch') - served.start_time as served,
        relayscope_store.outcome_of(asked.status_code, asked.attributes) as outcome,
        relayscope_store.outcome_of(served.status_code, served.attributes) as served_outcome
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
where asked.kind = 3 and relayscope_store.is_call(asked.attributes);

-- The component that served a call which another made, if it has recorded so.
create function relayscope_store.callee_of(trace uuid, made text) returns text
language sql stable parallel safe
return (
    select served.component
    from relayscope.spans as served
    where served.trace_id = trace and served.parent_span_id = made
        and served.kind = 'server' and relayscope_store.is_call(served.attributes)
    limit 1
);
