-- Everything, however it is kept. What is written to comes first: a reader waits there for a partition
-- that is being sealed, and sees the segment that has taken its place.
create or replace view relayscope_store.every_span as
select
    start_time, start_nano, end_time, end_nano, trace_id, span_id, parent_span_id, trace_state, flags,
    name, kind, status_code, status_message, attributes, events, links, dropped_attributes_count,
    dropped_events_count, dropped_links_count, resource_id, scope_id
from relayscope_store.span
union all
select
    start_time, start_nano, end_time, end_nano, trace_id, span_id, parent_span_id, trace_state, flags,
    name, kind, status_code, status_message, attributes, events, links, dropped_attributes_count,
    dropped_events_count, dropped_links_count, resource_id, scope_id
from relayscope_store.span_sealed;

-- Shapes and chunks are joined to both kinds of rows at once: so the planner can take the rows in the
-- order of an index, newest first, and stop; and leaves the chunks out where nobody reads them.
create or replace view relayscope_store.every_log as
select
    r.time,
    r.time_nano,
    coalesce(r.observed_time, c.observed_time[(r.place & 255) + 1]) as observed_time,
    coalesce(r.observed_nano, c.observed_nano[(r.place & 255) + 1]) as observed_nano,
    r.trace_id,
    coalesce(r.span_id, c.span_id[(r.place & 255) + 1]) as span_id,
    coalesce(r.flags, c.flags[(r.place & 255) + 1]) as flags,
    r.severity_number,
    coalesce(r.severity_text, c.severity_text[(r.place & 255) + 1]) as severity_text,
    coalesce(r.event_name, s.event_name) as event_name,
    coalesce(r.body, c.body[(r.place & 255) + 1]) as body,
    coalesce(r.body_json, c.body_json[(r.place & 255) + 1]) as body_json,
    coalesce(r.attributes, c.attributes -> (r.place & 255)) as attributes,
    coalesce(r.dropped_attributes_count, c.dropped_attributes_count[(r.place & 255) + 1])
        as dropped_attributes_count,
    r.resource_id,
    coalesce(r.scope_id, c.scope_id[(r.place & 255) + 1]) as scope_id,
    coalesce(r.peer, s.peer) as peer,
    coalesce(r.direction, s.direction) as direction,
    coalesce(r.kind, s.kind) as kind,
    coalesce(r.method, s.method) as method,
    coalesce(r.tool, s.tool) as tool,
    coalesce(r.request_id, c.request_id[(r.place & 255) + 1]) as request_id,
    coalesce(r.error_code, s.error_code) as error_code,
    coalesce(r.channel, c.channel[(r.place & 255) + 1]) as channel,
    coalesce(r.sequence, c.sequence[(r.place & 255) + 1]) as sequence,
    coalesce(r.size, c.size[(r.place & 255) + 1]) as size,
    coalesce(r.odd, s.odd) as odd
from (
    select
        time, time_nano, observed_time, observed_nano, trace_id, span_id, flags, severity_number,
        severity_text, event_name, body, body_json, attributes, dropped_attributes_count,
        resource_id, scope_id, null::integer as segment, null::integer as place,
        null::integer as shape,
        attributes ->> 'relayscope.peer' as peer,
        attributes ->> 'relayscope.message.direction' as direction,
        attributes ->> 'relayscope.message.kind' as kind,
        coalesce(attributes ->> 'mcp.method.name', attributes ->> 'rpc.method') as method,
        attributes ->> 'gen_ai.tool.name' as tool,
        attributes ->> 'jsonrpc.request.id' as request_id,
        relayscope_store.whole_number(attributes ->> 'rpc.response.status_code') as error_code,
        attributes ->> 'relayscope.channel.id' as channel,
        relayscope_store.whole_number(attributes ->> 'relayscope.channel.sequence') as sequence,
        relayscope_store.whole_number(attributes ->> 'relayscope.message.size') as size,
        attributes ->> 'relayscope.message.odd' as odd
    from relayscope_store.log
    union all
    select
        time, time_nano, null, null, trace_id, null, null, severity_number, null, null, null, null,
        null, null, resource_id, null, segment, place, shape, null, null, null, null, null, null, null,
        null, null, null, null
    from relayscope_store.log_sealed
) as r
left join relayscope_store.log_shape as s on s.id = r.shape
left join relayscope_store.log_chunk as c on c.segment = r.segment and c.chunk = r.place >> 8;

create or replace view relayscope_store.every_point as
select
    time, time_nano, start_time, start_nano, name, description, unit, kind, temporality, monotonic,
    value, value_int, count, sum, min, max, detail, flags, attributes, metadata, resource_id, scope_id
from relayscope_store.metric_point
union all
select
    time, time_nano, start_time, start_nano, name, description, unit, kind, temporality, monotonic,
    value, value_int, count, sum, min, max, detail, flags, attributes, metadata, resource_id, scope_id
from relayscope_store.metric_point_sealed;

-- The planner takes one in two hundred for what an expression is equal to, and so few messages that
-- reading all of them is as good as the index that has the newest first. Half of all, it takes for a
-- case.
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
    resource.attributes as resource
from relayscope_store.every_log as log
left join relayscope_store.resource on resource.id = log.resource_id
where case when log.event_name = 'mcp.message' then true else false end;
