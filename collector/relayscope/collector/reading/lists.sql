-- The statements of the commands that list, in the form of queries.sql. Each filter is a parameter
-- that may be null: then it is none, and PostgreSQL leaves it out when it plans.
--
-- since, until         timestamptz; from, and until before
-- component, peer, method, tool, outcome
--                      text, for equality
-- level                smallint, the least severity number
-- attributes           jsonb[]: objects of which one must be part of the attributes
-- text                 text that the body holds, letter by letter
-- most                 how many at most, the newest

-- logs --
-- The newest log records that are no messages, newest first.
select time, component, severity_text, severity_number, event_name, body, trace_id, span_id,
       time_unix_nano, attributes
from relayscope.logs
where time >= %(since)s and time < %(until)s
  and event_name is distinct from 'mcp.message'
  and (%(component)s::text is null or component = %(component)s)
  and (%(level)s::smallint is null or severity_number >= %(level)s)
  and (%(attributes)s::jsonb[] is null or attributes @> any(%(attributes)s))
order by time desc, time_unix_nano desc
limit %(most)s

-- logs_with_text --
-- Those of them that hold a text.
select time, component, null as severity_text, severity_number, event_name, body, trace_id, span_id,
       time_unix_nano, attributes
from relayscope.search(%(text)s, %(since)s, %(until)s, %(component)s, most => null)
where event_name is distinct from 'mcp.message'
  and (%(level)s::smallint is null or severity_number >= %(level)s)
  and (%(attributes)s::jsonb[] is null or attributes @> any(%(attributes)s))
order by time desc, time_unix_nano desc
limit %(most)s

-- messages --
-- The newest messages, newest first.
select time, component, direction, peer, kind, method, tool, request_id, error_code, odd,
       message_id, body, size, trace_id, span_id, time_unix_nano, attributes
from relayscope.messages
where time >= %(since)s and time < %(until)s
  and (%(component)s::text is null or component = %(component)s)
  and (%(peer)s::text is null or peer = %(peer)s)
  and (%(method)s::text is null or method = %(method)s)
  and (%(tool)s::text is null or tool = %(tool)s)
  and (%(level)s::smallint is null or severity_number >= %(level)s)
  and (%(attributes)s::jsonb[] is null or attributes @> any(%(attributes)s))
order by time desc, time_unix_nano desc
limit %(most)s

-- messages_with_text --
-- Those of them that hold a text: found by an index where there is one, then looked up.
select time, component, direction, peer, kind, method, tool, request_id, error_code, odd,
       message_id, body, size, trace_id, span_id, time_unix_nano, attributes
from (
    select time, component, time_unix_nano, trace_id, span_id, severity_number, body, attributes,
           attributes ->> 'relayscope.message.direction' as direction,
           attributes ->> 'relayscope.peer' as peer,
           attributes ->> 'relayscope.message.kind' as kind,
           coalesce(attributes ->> 'mcp.method.name', attributes ->> 'rpc.method') as method,
           attributes ->> 'gen_ai.tool.name' as tool,
           attributes ->> 'jsonrpc.request.id' as request_id,
           attributes ->> 'rpc.response.status_code' as error_code,
           attributes ->> 'relayscope.message.odd' as odd,
           (attributes ->> 'relayscope.channel.id') || '/'
           || (attributes ->> 'relayscope.channel.sequence') as message_id,
           attributes -> 'relayscope.message.size' as size
    from relayscope.search(
        %(text)s, %(since)s, %(until)s, %(component)s, %(peer)s, %(method)s, %(tool)s, null
    )
    where event_name = 'mcp.message'
) as found
where (%(level)s::smallint is null or severity_number >= %(level)s)
  and (%(attributes)s::jsonb[] is null or attributes @> any(%(attributes)s))
order by time desc, time_unix_nano desc
limit %(most)s

-- calls --
-- The newest calls, newest first.
select time, component, side, peer, method, tool, outcome,
       round(extract(epoch from duration) * 1000, 3) as duration_ms, error_type, error_code,
       request_id, trace_id, span_id, request, answer
from relayscope.calls
where time >= %(since)s and time < %(until)s
  and (%(component)s::text is null or component = %(component)s)
  and (%(peer)s::text is null or peer = %(peer)s)
  and (%(method)s::text is null or method = %(method)s)
  and (%(tool)s::text is null or tool = %(tool)s)
  and (%(outcome)s::text is null or outcome = %(outcome)s)
  and (%(text)s::text is null or strpos(concat(request, ' ', answer), %(text)s) > 0)
order by time desc
limit %(most)s

-- traces --
-- The newest traces, newest first, by when they began.
select start_time as time, trace_id, name, component, components,
       round(extract(epoch from duration) * 1000, 3) as duration_ms, spans, errors, messages,
       odd_messages
from relayscope.trace_summary
where start_time >= %(since)s and start_time < %(until)s
  and (%(component)s::text is null or %(component)s = any(components))
order by start_time desc
limit %(most)s

-- records --
-- The newest records of both kinds, newest first.
select time, component, severity_text, severity_number, event_name,
       attributes ->> 'relayscope.message.direction' as direction,
       attributes ->> 'relayscope.peer' as peer,
       coalesce(attributes ->> 'mcp.method.name', attributes ->> 'rpc.method') as method,
       attributes ->> 'gen_ai.tool.name' as tool,
       body, trace_id, span_id, time_unix_nano, attributes
from relayscope.logs
where time >= %(since)s and time < %(until)s
  and (%(component)s::text is null or component = %(component)s)
  and (%(peer)s::text is null or attributes ->> 'relayscope.peer' = %(peer)s)
  and (
    %(method)s::text is null
    or coalesce(attributes ->> 'mcp.method.name', attributes ->> 'rpc.method') = %(method)s
  )
  and (%(tool)s::text is null or attributes ->> 'gen_ai.tool.name' = %(tool)s)
  and (%(level)s::smallint is null or severity_number >= %(level)s)
  and (%(attributes)s::jsonb[] is null or attributes @> any(%(attributes)s))
  and (%(text)s::text is null or strpos(body, %(text)s) > 0)
order by time desc, time_unix_nano desc
limit %(most)s

-- text_of_message --
-- The text of a message; `channel` and `sequence` are the parts of its id.
select body
from relayscope.messages
where time >= %(since)s and time < %(until)s
  and channel = %(channel)s and sequence = %(sequence)s
order by time desc
limit 1

-- difference --
-- In what two texts differ.
select path, "left", "right", difference from relayscope.message_diff(%(a)s, %(b)s)

-- difference_of_peers --
-- In what the messages of two peers differ.
select method, occasion, kind, path, "left", "right", difference
from relayscope.compare_peers(%(method)s, %(a)s, %(b)s, %(since)s, %(until)s)

-- components --
-- What each component has sent.
select * from relayscope.components(%(since)s, %(until)s) order by component

-- service_calls --
-- Who called whom.
select caller, callee, method, calls, failed, round(extract(epoch from mean) * 1000, 3) as mean_ms,
       round(extract(epoch from p50) * 1000, 3) as p50_ms,
       round(extract(epoch from p95) * 1000, 3) as p95_ms,
       round(extract(epoch from longest) * 1000, 3) as longest_ms
from relayscope.service_calls(%(since)s, %(until)s)
order by calls desc, caller, callee, method

-- missing --
-- Channels of which not every message is stored, and processes whose last record is not known: they run,
-- or have ended without saying so, and may have emitted what was never sent.
select component, process, channel, peer, first_sequence, last_sequence, stored, missing,
       unknown_since
from relayscope.delivery(%(since)s, %(until)s)
where missing > 0 or (channel is null and unknown_since is not null)
order by component, process, channel
