-- The statements of the commands that read, each as
--
--     -- name --
--     -- what it returns, and what its parameters are
--     the statement, its parameters as %(name)s
--
-- Values are bound, always. Tables are storage's own business: these read the views.

-- settings_of_reader --
-- Sets, for the transaction, what the commands count on; `statement_timeout` as in '60s'.
select set_config('statement_timeout', %(statement_timeout)s, true),
       set_config('datestyle', 'ISO', true),
       set_config('timezone', 'UTC', true),
       set_config(
           'search_path',
           concat_ws(', ', 'relayscope', nullif(current_setting('search_path'), '')),
           true
       )

-- may_read --
-- Whether this user may read what is stored; also where nothing is.
select coalesce(
    (
        select has_schema_privilege(pg_namespace.oid, 'usage')
        from pg_catalog.pg_namespace
        where nspname = 'relayscope'
    ),
    true
)

-- spans_of_trace --
-- The spans of a trace, at most `spans` of them: the one whose id is `chosen`, and those that began first.
select span_id, parent_span_id, coalesce(component, 'unknown_service') as component, name, kind,
       start_unix_nano, end_unix_nano, status, status_message, attributes, events, links
from relayscope.spans
where trace_id = %(trace_id)s
order by span_id is distinct from %(chosen)s, start_time, start_unix_nano, span_id
limit %(spans)s

-- records_of_trace --
-- The log records of a trace by time, at most `records` of them behind the `skipped` first, each with at
-- most `characters` characters of its body; the digest is that of all of it.
select span_id, coalesce(component, 'unknown_service') as component, time_unix_nano, event_name,
       coalesce(severity_number, 0) as severity_number, severity_text,
       left(body, %(characters)s) as body,
       coalesce(length(body), 0) as body_length,
       coalesce(sha256(convert_to(body, 'UTF8')), '') as body_digest,
       attributes
from relayscope.logs_for_trace(%(trace_id)s)
order by time, time_unix_nano, span_id, attributes ->> 'relayscope.channel.sequence'
limit %(records)s offset %(skipped)s

-- size_of_trace --
-- How many log records a trace has, how many of them are messages, and how many of these are odd.
select count(*) as records, count(*) filter (where event_name = 'mcp.message') as messages,
       count(*) filter (
           where event_name = 'mcp.message' and severity_number >= 13
             and attributes ->> 'relayscope.message.odd' is not null
       ) as odd
from relayscope.logs_for_trace(%(trace_id)s)

-- place_in_trace --
-- How many records of a trace are before one of them, and how many there are, which is none if it has not
-- that one: a message of a `channel` and `sequence`, or what is of `time_unix_nano`.
with record as materialized (
    select time, time_unix_nano, attributes ->> 'relayscope.channel.id' as channel,
           attributes ->> 'relayscope.channel.sequence' as sequence
    from relayscope.logs_for_trace(%(trace_id)s)
)
select count(*) filter (
           where (record.time, record.time_unix_nano) < (chosen.time, chosen.time_unix_nano)
       ) as place,
       count(*) as records
from (
    select time, time_unix_nano
    from record
    where case
        when %(channel)s::text is null then time_unix_nano = %(time_unix_nano)s::numeric
        else channel = %(channel)s::text and sequence = %(sequence)s::text
    end
    order by time, time_unix_nano
    limit 1
) as chosen
cross join record

-- newest_call --
-- The trace that began last among the traces with a call that a user makes: no handshake, ping,
-- or notification. Looks at spans and requests of between `since` and `until` (both timestamptz);
-- a call that nobody has answered has a request alone.
-- Where a trace began is where what is stored of it did, so that a call inside a long trace does
-- not make that one the newest.
with newest as (
    (
        select trace_id, method, start_time as time
        from relayscope.spans
        where start_time between %(since)s and %(until)s
          and method not in ('initialize', 'ping', 'logging/setLevel')
          and method not like 'notifications/%%'
        order by start_time desc
        limit 100
    )
    union all
    (
        select trace_id, method, time
        from relayscope.messages
        where time between %(since)s and %(until)s and kind = 'request' and trace_id is not null
          and method not in ('initialize', 'ping', 'logging/setLevel')
        order by time desc
        limit 100
    )
)
select calls.trace_id
from (select distinct newest.trace_id from newest) as calls
cross join lateral (
    select least(
        (select min(start_time) from relayscope.spans where spans.trace_id = calls.trace_id),
        (select min(time) from relayscope.logs where logs.trace_id = calls.trace_id)
    ) as began
) as trace
order by began desc
limit 1

-- newest_trace --
-- The trace of the span or message that is the newest between `since` and `until` (both timestamptz).
select newest.trace_id
from (
    (
        select trace_id, start_time as time
        from relayscope.spans
        where start_time between %(since)s and %(until)s
        order by start_time desc
        limit 1
    )
    union all
    (
        select trace_id, time
        from relayscope.messages
        where time between %(since)s and %(until)s and trace_id is not null
        order by time desc
        limit 1
    )
) as newest
order by newest.time desc
limit 1

-- traces_between --
-- The ids from `first` to `last` (both uuid) of traces of which something is stored, at most five.
select trace_id
from relayscope.spans
where trace_id between %(first)s and %(last)s
union
select trace_id
from relayscope.logs
where trace_id between %(first)s and %(last)s
order by trace_id
limit 5

-- is_anything_stored --
-- Whether there is any span or record.
select exists (select from relayscope.spans) or exists (select from relayscope.logs)

-- known_components --
-- The names of all components.
select distinct component from relayscope_store.process order by component limit 10000

-- beside_trace --
-- Odd messages that are in no trace, on some `channels` (text[]), and how those of them broke off on which
-- something is `unanswered` (text[]), from `since` to `until`, with the columns of records_of_trace. They
-- have severity WARN, by which an index finds them.
select span_id, coalesce(component, 'unknown_service') as component, time_unix_nano, event_name,
       coalesce(severity_number, 0) as severity_number, severity_text,
       left(body, %(characters)s) as body,
       coalesce(length(body), 0) as body_length,
       coalesce(sha256(convert_to(body, 'UTF8')), '') as body_digest,
       attributes
from relayscope.logs
where time between %(since)s and %(until)s and severity_number >= 13
  and trace_id is null
  and attributes ->> 'relayscope.channel.id' = any(
      case event_name
          when 'mcp.message' then %(channels)s::text[]
          when 'relayscope.channel.closed' then %(unanswered)s::text[]
      end
  )
order by time, time_unix_nano
limit %(records)s

-- texts_of_records --
-- The whole texts of the log records of a trace that are of some `times` (numeric[], ns).
select coalesce(component, 'unknown_service') as component, time_unix_nano, span_id, event_name,
       attributes ->> 'relayscope.channel.id' as channel,
       attributes ->> 'relayscope.channel.sequence' as sequence,
       body
from relayscope.logs_for_trace(%(trace_id)s)
where time_unix_nano = any(%(times)s)

-- found_in_trace --
-- What in a trace holds a `text`, in capital or small letters: spans by their id, records by their
-- time, component and message id.
select 'span' as what, span_id, coalesce(component, 'unknown_service') as component, start_unix_nano as time_unix_nano,
       null as channel, null as sequence
from relayscope.spans
where trace_id = %(trace_id)s
  and strpos(
      lower(concat_ws(' ', component, name, status_message, span_id, attributes, events)),
      lower(%(text)s)
  ) > 0
union all
select 'record', span_id, coalesce(component, 'unknown_service'), time_unix_nano,
       attributes ->> 'relayscope.channel.id', attributes ->> 'relayscope.channel.sequence'
from relayscope.logs_for_trace(%(trace_id)s)
where strpos(
      lower(concat_ws(' ', component, event_name, severity_text, body, attributes)),
      lower(%(text)s)
  ) > 0

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
-- In what the messages of two peers differ, but for the context of a trace, which each message has of
-- its own: that one has it and the other has not is told.
select compared.*
from unnest(coalesce(%(method)s::text[], array[null]::text[])) as asked (method)
cross join lateral relayscope.compare_peers(
    asked.method, %(a)s, %(b)s, %(since)s, %(until)s
) as compared
where compared.difference <> 'value'
   or compared.path not in ('$.params._meta.traceparent', '$.params._meta.tracestate')

-- is_known --
-- Whether a peer or a component of that name has sent any message.
select exists (
    select
    from relayscope.messages
    where time >= %(since)s and time < %(until)s
      and (
        (direction = 'received' and peer = %(name)s) or (direction = 'sent' and component = %(name)s)
      )
)

-- known --
-- The components and the peers that have sent messages, by their names.
select distinct name
from relayscope.messages
cross join lateral (
    select case direction when 'received' then peer else component end as name
) as speaker
where time >= %(since)s and time < %(until)s and direction in ('received', 'sent')
order by name

-- message_of_id --
-- A message; `channel` and `sequence` are the parts of its id.
select message_id, trace_id, time, component, peer, direction, kind, method, tool, request_id,
       error_code, size, body
from relayscope.messages
where time >= %(since)s and time < %(until)s
  and channel = %(channel)s and sequence = %(sequence)s
order by time desc
limit 1

-- difference_of_messages --
-- In what two stored messages differ: `left_` and `right_` are the parts of their ids, and their times.
select differing.path, differing."left", differing."right", differing.difference
from (
    select body
    from relayscope.messages
    where time = %(left_time)s and channel = %(left_channel)s and sequence = %(left_sequence)s
    limit 1
) as one
cross join (
    select body
    from relayscope.messages
    where time = %(right_time)s and channel = %(right_channel)s and sequence = %(right_sequence)s
    limit 1
) as other
cross join lateral relayscope.message_diff(one.body, other.body) as differing

-- seen_at --
-- For each of some differences between two peers the newest message of each that shows it, or else
-- the newest of the same kind: `paths`, `kinds`, and the values there as JSON (`lefts`, `rights`).
with spoken as materialized (
    select sides.side, message.*
    from (values ('left', %(a)s::text), ('right', %(b)s::text)) as sides (side, name)
    cross join lateral (
        select message_id, trace_id, time, kind, method, json
        from relayscope.messages
        where time >= %(since)s and time < %(until)s and json is not null
          and (
            (direction = 'received' and peer = sides.name)
            or (direction = 'sent' and component = sides.name)
          )
          and (%(method)s::text[] is null or method = any(%(method)s) or method is null)
        order by time desc
        limit 500
    ) as message
)
select asked.place, sides.side, found.message_id, found.trace_id
from unnest(
    %(paths)s::text[], %(kinds)s::text[], %(methods)s::text[], %(lefts)s::text[], %(rights)s::text[]
) with ordinality as asked (path, kind, method, "left", "right", place)
cross join (values ('left'), ('right')) as sides (side)
cross join lateral (
    select spoken.message_id, spoken.trace_id
    from spoken
    where spoken.side = sides.side and spoken.kind = asked.kind
      and (asked.method is null or spoken.method is null or spoken.method = asked.method)
    order by spoken.method is not distinct from asked.method desc,
             jsonb_path_query_array(spoken.json, asked.path::jsonpath)
             @> jsonb_build_array(
                 case sides.side when 'left' then asked."left" else asked."right" end::jsonb
             ) desc nulls last,
             jsonb_path_exists(spoken.json, asked.path::jsonpath) desc,
             spoken.time desc
    limit 1
) as found
