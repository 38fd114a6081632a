-- One view of the records of each signal, however they are kept; and the views of records for people.

-- What telemetry calls a number may be anything: text, a fraction, too long.
create function relayscope_store.whole_number(value text) returns bigint
language sql immutable parallel safe
return case when value ~ '^-?[0-9]{1,18}$' then value::bigint end;

create view relayscope_store.every_span as
select * from relayscope_store.span;

create view relayscope_store.every_log as
select
    log.*,
    log.attributes ->> 'relayscope.peer' as peer,
    log.attributes ->> 'relayscope.message.direction' as direction,
    log.attributes ->> 'relayscope.message.kind' as kind,
    coalesce(log.attributes ->> 'mcp.method.name', log.attributes ->> 'rpc.method') as method,
    log.attributes ->> 'gen_ai.tool.name' as tool,
    log.attributes ->> 'jsonrpc.request.id' as request_id,
    relayscope_store.whole_number(log.attributes ->> 'rpc.response.status_code') as error_code,
    log.attributes ->> 'relayscope.channel.id' as channel,
    relayscope_store.whole_number(log.attributes ->> 'relayscope.channel.sequence') as sequence,
    relayscope_store.whole_number(log.attributes ->> 'relayscope.message.size') as size,
    log.attributes ->> 'relayscope.message.odd' as odd
from relayscope_store.log;

create view relayscope_store.every_point as
select * from relayscope_store.metric_point;

-- Who is at the other end of a span's connection, spelled as in messages.
create function relayscope_store.peer_of_span(attributes jsonb) returns text
language sql immutable parallel safe
return coalesce(
    attributes ->> 'relayscope.peer',
    case
        when attributes ->> 'server.address' like '%:%' then '[' || (attributes ->> 'server.address') || ']'
        else attributes ->> 'server.address'
    end || ':' || (attributes ->> 'server.port'),
    case
        when attributes ->> 'client.address' like '%:%' then '[' || (attributes ->> 'client.address') || ']'
        else attributes ->> 'client.address'
    end || ':' || (attributes ->> 'client.port')
);

create or replace view relayscope.spans as
select
    span.trace_id,
    encode(span.span_id, 'hex') as span_id,
    encode(span.parent_span_id, 'hex') as parent_span_id,
    resource.component,
    span.name,
    case span.kind
        when 1 then 'internal'
        when 2 then 'server'
        when 3 then 'client'
        when 4 then 'producer'
        when 5 then 'consumer'
        else 'unspecified'
    end as kind,
    span.start_time,
    span.end_time,
    trunc(extract(epoch from span.start_time) * 1000000000) + span.start_nano as start_unix_nano,
    trunc(extract(epoch from span.end_time) * 1000000000) + span.end_nano as end_unix_nano,
    span.end_time - span.start_time as duration,
    case span.status_code
        when 1 then 'ok'
        when 2 then 'error'
        else 'unset'
    end as status,
    span.status_message,
    span.attributes,
    span.events,
    span.links,
    span.trace_state,
    span.flags,
    scope.name as scope_name,
    scope.version as scope_version,
    resource.attributes as resource,
    coalesce(span.attributes ->> 'mcp.method.name', span.attributes ->> 'rpc.method') as method,
    span.attributes ->> 'gen_ai.tool.name' as tool,
    relayscope_store.peer_of_span(span.attributes) as peer,
    span.attributes ->> 'error.type' as error_type
from relayscope_store.every_span as span
left join relayscope_store.resource on resource.id = span.resource_id
left join relayscope_store.scope on scope.id = span.scope_id;

create or replace view relayscope.logs as
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
from relayscope_store.every_log as log
left join relayscope_store.resource on resource.id = log.resource_id
left join relayscope_store.scope on scope.id = log.scope_id;

create or replace view relayscope.metrics as
select
    metric_point.name,
    case metric_point.kind
        when 1 then 'gauge'
        when 2 then 'sum'
        when 3 then 'histogram'
        when 4 then 'exponential_histogram'
        when 5 then 'summary'
        else 'unspecified'
    end as kind,
    resource.component,
    metric_point.time,
    trunc(extract(epoch from metric_point.time) * 1000000000) + metric_point.time_nano
        as time_unix_nano,
    metric_point.start_time,
    trunc(extract(epoch from metric_point.start_time) * 1000000000) + metric_point.start_nano
        as start_unix_nano,
    coalesce(metric_point.value, metric_point.value_int) as value,
    metric_point.value_int,
    metric_point.count,
    metric_point.sum,
    metric_point.min,
    metric_point.max,
    metric_point.detail,
    metric_point.attributes,
    metric_point.unit,
    metric_point.description,
    case metric_point.temporality
        when 1 then 'delta'
        when 2 then 'cumulative'
        else 'unspecified'
    end as temporality,
    metric_point.monotonic,
    metric_point.flags,
    metric_point.metadata,
    scope.name as scope_name,
    scope.version as scope_version,
    resource.attributes as resource
from relayscope_store.every_point as metric_point
left join relayscope_store.resource on resource.id = metric_point.resource_id
left join relayscope_store.scope on scope.id = metric_point.scope_id;
