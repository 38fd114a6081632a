-- One view of the records of each signal, however they are kept; and the views of records for people. In
-- all of them times stay bare columns, so that a condition on them picks the partitions.

-- What is written to comes first: a reader waits there for a partition
-- that is being sealed, and sees the segment that has taken its place.
create view relayscope_store.every_span as
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
create view relayscope_store.kept_log as
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
    coalesce(r.odd, s.odd) as odd,
    -- A condition on this one reaches the tables, where one on what is coalesced with a shape does not.
    r.event_name as unsealed_event_name
from (
    select
        time, time_nano, observed_time, observed_nano, trace_id, span_id, flags, severity_number,
        severity_text, event_name, body, body_json, attributes, dropped_attributes_count,
        resource_id, scope_id, null::integer as segment, null::integer as place,
        null::integer as shape,
        relayscope_store.peer_of(attributes) as peer,
        relayscope_store.direction_of(attributes) as direction,
        relayscope_store.kind_of(attributes) as kind,
        relayscope_store.method_of(attributes) as method,
        relayscope_store.tool_of(attributes) as tool,
        relayscope_store.request_id_of(attributes) as request_id,
        relayscope_store.error_code_of(attributes) as error_code,
        relayscope_store.channel_of(attributes) as channel,
        relayscope_store.sequence_of(attributes) as sequence,
        relayscope_store.size_of(attributes) as size,
        relayscope_store.odd_of(attributes) as odd
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

create view relayscope_store.every_log as
select
    time, time_nano, observed_time, observed_nano, trace_id, span_id, flags, severity_number,
    severity_text, event_name, body, body_json, attributes, dropped_attributes_count, resource_id,
    scope_id, peer, direction, kind, method, tool, request_id, error_code, channel, sequence, size, odd
from relayscope_store.kept_log;

create view relayscope_store.every_point as
select
    time, time_nano, start_time, start_nano, name, description, unit, kind, temporality, monotonic,
    value, value_int, count, sum, min, max, detail, flags, attributes, metadata, resource_id, scope_id
from relayscope_store.metric_point
union all
select
    time, time_nano, start_time, start_nano, name, description, unit, kind, temporality, monotonic,
    value, value_int, count, sum, min, max, detail, flags, attributes, metadata, resource_id, scope_id
from relayscope_store.metric_point_sealed;

create view relayscope.spans as
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
    -- An end of 0 is none, here and in what follows.
    nullif(span.end_time, timestamptz 'epoch') - span.start_time as duration,
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
    relayscope_store.method_of(span.attributes) as method,
    relayscope_store.tool_of(span.attributes) as tool,
    relayscope_store.peer_of_span(span.attributes) as peer,
    relayscope_store.error_type_of(span.attributes) as error_type
from relayscope_store.every_span as span
left join relayscope_store.resource on resource.id = span.resource_id
left join relayscope_store.scope on scope.id = span.scope_id;

create view relayscope_store.log_record as
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
    resource.attributes as resource,
    log.unsealed_event_name
from relayscope_store.kept_log as log
left join relayscope_store.resource on resource.id = log.resource_id
left join relayscope_store.scope on scope.id = log.scope_id;

create view relayscope.logs as
select
    trace_id, span_id, time, time_unix_nano, observed_time, observed_time_unix_nano, severity_number,
    severity_text, event_name, body, attributes, component, flags, scope_name, scope_version, resource
from relayscope_store.log_record;

-- The first condition is what `log_other` is an index of.
create view relayscope.other_logs as
select
    trace_id, span_id, time, time_unix_nano, observed_time, observed_time_unix_nano, severity_number,
    severity_text, event_name, body, attributes, component, flags, scope_name, scope_version, resource
from relayscope_store.log_record
where unsealed_event_name is distinct from 'mcp.message'
    and event_name is distinct from 'mcp.message';

create view relayscope.metrics as
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

create view relayscope.collector_figures as
select figure.process, figure.name, figure.labels, figure.value, figure.updated_at
from relayscope_store.figure;

create view relayscope.collector_history as
select figure_sample.time, figure_sample.figures
from relayscope_store.figure_sample;

comment on view relayscope.spans is 'One row per span, with its events and links.';

comment on view relayscope.logs is 'One row per log record; MCP messages have event_name mcp.message.';

comment on view relayscope.other_logs is 'One row per log record that is no MCP message.';

comment on view relayscope.metrics is 'One row per metric data point.';

comment on view relayscope.collector_figures is
    'What each collector process says of itself, as on /metrics; sum over the processes.';

comment on view relayscope.collector_history is
    'What all collector processes said of themselves together, every 10 seconds of the last 3 days.';
