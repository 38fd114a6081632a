-- 300,000 messages of the size that relays see, into a table without anything on it.
create table sample as
select '2026-11-24 00:00+00'::timestamptz + n * '60 ms'::interval as time, 0::int2 as time_nano,
       null::timestamptz as observed_time, null::int2 as observed_nano,
       md5((n / 20)::text)::uuid as trace_id,
       decode(left(md5((n / 2)::text), 16), 'hex') as span_id,
       1::int8 as flags, (case when n % 200 = 0 then 17 else 1 end)::int2 as severity_number,
       'TRACE' as severity_text, 'mcp.message' as event_name,
       format('{"jsonrpc": "2.0", "id": %s, "params": {"text": "%s"}}', n, words) as body,
       null::jsonb as body_json,
       jsonb_build_object(
           'mcp.method.name', 'tools/call', 'gen_ai.tool.name', 'tool_' || n % 50,
           'jsonrpc.request.id', (n / 2)::text,
           'relayscope.message.direction', case when n % 2 = 0 then 'sent' else 'received' end,
           'relayscope.message.kind', case when n % 2 = 0 then 'request' else 'result' end,
           'relayscope.message.size', 420,
           'relayscope.channel.id', left(md5((n % 16)::text), 16),
           'relayscope.channel.sequence', n / 16,
           'relayscope.peer', '127.0.0.1:90' || 10 + n % 8,
           'network.transport', 'tcp', 'network.protocol.name', 'websocket') as attributes,
       0::int8 as dropped_attributes_count,
       md5((n % 8)::text)::uuid as resource_id, md5('scope')::uuid as scope_id
from generate_series(1, 300000) n
cross join lateral (
    select string_agg(md5((n * 12 + i)::text), ' ') as words from generate_series(1, 11) i
) as text;

create function number_of(value jsonb) returns bigint language sql immutable
return case when jsonb_typeof(value) = 'number' then value::bigint end;

-- Today's: expressions over `attributes`.
create table expressions (like sample);
create index on expressions (trace_id);
create index on expressions using brin (time);

-- Columns that PostgreSQL makes of `attributes`.
create table generated (like expressions including all,
    channel text generated always as (attributes ->> 'relayscope.channel.id') stored,
    sequence bigint generated always as (number_of(attributes -> 'relayscope.channel.sequence')) stored,
    direction text generated always as (attributes ->> 'relayscope.message.direction') stored,
    kind text generated always as (attributes ->> 'relayscope.message.kind') stored,
    method text generated always as (attributes ->> 'mcp.method.name') stored,
    tool text generated always as (attributes ->> 'gen_ai.tool.name') stored,
    request_id text generated always as (attributes ->> 'jsonrpc.request.id') stored,
    error_code text generated always as (attributes ->> 'rpc.response.status_code') stored,
    size bigint generated always as (number_of(attributes -> 'relayscope.message.size')) stored,
    sha256 text generated always as (attributes ->> 'relayscope.message.sha256') stored,
    peer text generated always as (attributes ->> 'relayscope.peer') stored,
    odd text generated always as (attributes ->> 'relayscope.message.odd') stored
);

-- Columns that the collector sends; the attributes stay whole, as OTLP wants them back.
create table sent (like expressions including all,
    channel text, sequence bigint, direction text, kind text, method text, tool text,
    request_id text, error_code text, size bigint, sha256 text, peer text, odd text
);

-- A table of their own, beside their log records.
create table own (
    time timestamptz not null, trace_id uuid, span_id bytea, resource_id uuid not null,
    channel text, sequence bigint, direction text, kind text, method text, tool text,
    request_id text, error_code text, size bigint, sha256 text, peer text, odd text
);
create index on own (trace_id);
create index on own using brin (time);

-- Further indexes over today's.
create table by_time (like sample);
create index on by_time (trace_id);
create index on by_time (time);
create table severe (like sample);
create index on severe (trace_id);
create index on severe (time);
create index on severe (time) where severity_number >= 13;
create table by_peer (like severe including all);
create index on by_peer ((attributes ->> 'relayscope.peer'), time) where event_name = 'mcp.message';
