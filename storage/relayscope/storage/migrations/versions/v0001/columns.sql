-- What is read out of attributes, as columns. Each function is one expression, which the planner puts in
-- place of the call: so a condition on such a column is one on the attributes. Their names are those of
-- `relayscope.conventions`. Two other files spell some: `messages.sql` for `truncated`, `sealing.sql` for
-- what is not indexed.

-- What telemetry calls a number may be anything: text, a fraction, too long.
create function relayscope_store.whole_number(value text) returns bigint
language sql immutable parallel safe
return case when value ~ '^-?[0-9]{1,18}$' then value::bigint end;

create function relayscope_store.peer_of(attributes jsonb) returns text
language sql immutable parallel safe
return attributes ->> 'relayscope.peer';

create function relayscope_store.direction_of(attributes jsonb) returns text
language sql immutable parallel safe
return attributes ->> 'relayscope.message.direction';

create function relayscope_store.kind_of(attributes jsonb) returns text
language sql immutable parallel safe
return attributes ->> 'relayscope.message.kind';

create function relayscope_store.method_of(attributes jsonb) returns text
language sql immutable parallel safe
return coalesce(attributes ->> 'mcp.method.name', attributes ->> 'rpc.method');

create function relayscope_store.tool_of(attributes jsonb) returns text
language sql immutable parallel safe
return attributes ->> 'gen_ai.tool.name';

create function relayscope_store.request_id_of(attributes jsonb) returns text
language sql immutable parallel safe
return attributes ->> 'jsonrpc.request.id';

create function relayscope_store.error_code_of(attributes jsonb) returns bigint
language sql immutable parallel safe
return relayscope_store.whole_number(attributes ->> 'rpc.response.status_code');

create function relayscope_store.channel_of(attributes jsonb) returns text
language sql immutable parallel safe
return attributes ->> 'relayscope.channel.id';

create function relayscope_store.sequence_of(attributes jsonb) returns bigint
language sql immutable parallel safe
return relayscope_store.whole_number(attributes ->> 'relayscope.channel.sequence');

-- Whether a process says that it emits nothing more.
create function relayscope_store.ended_of(attributes jsonb) returns boolean
language sql immutable parallel safe
return attributes ? 'relayscope.delivery.ended';

-- How many records a process says that it has emitted, and how many of them have been taken from it.
create function relayscope_store.emitted_of(attributes jsonb) returns bigint
language sql immutable parallel safe
return relayscope_store.whole_number(attributes ->> 'relayscope.delivery.emitted');

create function relayscope_store.acknowledged_of(attributes jsonb) returns bigint
language sql immutable parallel safe
return relayscope_store.whole_number(attributes ->> 'relayscope.delivery.acknowledged');

-- Which message it is: its channel, and its place there.
create function relayscope_store.message_id_of(attributes jsonb) returns text
language sql immutable parallel safe
return relayscope_store.channel_of(attributes) || '/'
    || relayscope_store.sequence_of(attributes)::text;

create function relayscope_store.size_of(attributes jsonb) returns bigint
language sql immutable parallel safe
return relayscope_store.whole_number(attributes ->> 'relayscope.message.size');

create function relayscope_store.odd_of(attributes jsonb) returns text
language sql immutable parallel safe
return attributes ->> 'relayscope.message.odd';

-- Of what has the form of an answer: whether it does not answer the request that it was sent for, by its
-- id or its time.
create function relayscope_store.answers_nothing(odd text) returns boolean
language sql immutable parallel safe
return coalesce(odd in ('id_type', 'late_answer', 'orphan_answer', 'answer_to_notification'), false);

-- Of a span that is one end of a call.
create function relayscope_store.is_call(attributes jsonb) returns boolean
language sql immutable parallel safe
return attributes ? 'jsonrpc.request.id';

create function relayscope_store.error_type_of(attributes jsonb) returns text
language sql immutable parallel safe
return attributes ->> 'error.type';

create function relayscope_store.endpoint(address text, port text) returns text
language sql immutable parallel safe
return case when address like '%:%' then '[' || address || ']' else address end || ':' || port;

-- Who is at the other end of a span's connection, spelled as in messages.
create function relayscope_store.peer_of_span(attributes jsonb) returns text
language sql immutable parallel safe
return coalesce(
    relayscope_store.peer_of(attributes),
    relayscope_store.endpoint(attributes ->> 'server.address', attributes ->> 'server.port'),
    relayscope_store.endpoint(attributes ->> 'client.address', attributes ->> 'client.port')
);

create function relayscope_store.outcome(
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

-- What came of a call, from its span.
create function relayscope_store.outcome_of(status_code smallint, attributes jsonb) returns text
language sql immutable parallel safe
return relayscope_store.outcome(
    status_code,
    relayscope_store.error_type_of(attributes),
    relayscope_store.error_code_of(attributes)
);

-- The number of a record among all of its process.
create function relayscope_store.delivery_sequence_of(attributes jsonb) returns bigint
language sql immutable parallel safe
return relayscope_store.whole_number(attributes ->> 'relayscope.delivery.sequence');
