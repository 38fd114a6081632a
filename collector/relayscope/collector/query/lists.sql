-- The statements of the commands that list, in the form of queries.sql. Their columns are those of the
-- view that they list, by its names. Each filter is a parameter that may be null, or false: then it is
-- none, and PostgreSQL leaves it out when it plans. `fits` and the other functions are put in place of
-- their calls before (`filters.sql` of storage), so that indexes serve them.
--
-- since, until         timestamptz; from, and until before
-- component, peer, direction, kind, method, tool, side, outcome
--                      text[], of which one must be equal
-- trace                uuid[], the same
-- times                timestamptz[], the same of the time, for calls and traces
-- level                smallint, the least severity number
-- slower_than          interval that the duration must exceed
-- attributes           jsonb[]: objects of which one must be part of the attributes
-- text                 text that the body holds, letter by letter
-- failed, odd          boolean: only those
-- all                  boolean: also what relayscope says of channels and delivery in good order
-- sort                 text: the column by which the greatest come first; then the newest do
-- ascending            boolean: the least come first, and the oldest. What does not hold is a constant
--                      by which PostgreSQL does not sort, so that an index by time serves both.
-- most                 how many at most

-- logs --
-- The newest log records that are no messages, newest first.
select time, component, severity_text, severity_number, event_name, body, trace_id, span_id,
       time_unix_nano, attributes
from relayscope.other_logs
where time >= %(since)s and time < %(until)s
  and (%(all)s::boolean or not relayscope_store.is_routine(event_name, severity_number))
  and relayscope_store.fits(component, %(component)s)
  and relayscope_store.fits(trace_id, %(trace)s)
  and relayscope_store.fits(attributes, %(attributes)s)
  and relayscope_store.at_least(severity_number, %(level)s::smallint)
order by case when %(ascending)s::boolean then time end,
         case when %(ascending)s::boolean then time_unix_nano end, time desc, time_unix_nano desc
limit %(most)s

-- logs_searched --
-- Those of them that hold a text or have attributes: found by an index where there is one.
select time, component, severity_text, severity_number, event_name, body, trace_id, span_id,
       time_unix_nano, attributes
from (
    select said.*
    from (
        select distinct one from unnest(coalesce(%(attributes)s::jsonb[], array[null::jsonb])) as one
    ) as wanted (attributes)
    cross join lateral relayscope_store.newest(
        %(text)s, wanted.attributes, %(since)s, %(until)s, null, null, null, null, null
    ) as said
) as log
where event_name is distinct from 'mcp.message'
  and (%(all)s::boolean or not relayscope_store.is_routine(event_name, severity_number))
  and relayscope_store.fits(component, %(component)s)
  and relayscope_store.fits(trace_id, %(trace)s)
  and relayscope_store.at_least(severity_number, %(level)s::smallint)
order by case when %(ascending)s::boolean then time end,
         case when %(ascending)s::boolean then time_unix_nano end, time desc, time_unix_nano desc
limit %(most)s

-- messages --
-- The newest messages, newest first.
select time, component, direction, peer, kind, method, tool, request_id, error_code, odd,
       message_id, body, size, trace_id, span_id, time_unix_nano, attributes
from relayscope.messages
where time >= %(since)s and time < %(until)s
  and relayscope_store.fits(component, %(component)s)
  and relayscope_store.fits(peer, %(peer)s)
  and relayscope_store.fits(direction, %(direction)s)
  and relayscope_store.fits(kind, %(kind)s)
  and relayscope_store.fits(method, %(method)s)
  and relayscope_store.fits(tool, %(tool)s)
  and relayscope_store.fits(trace_id, %(trace)s)
  and relayscope_store.fits(attributes, %(attributes)s)
  and relayscope_store.at_least(severity_number, %(level)s::smallint)
  -- Odd messages have severity WARN, by which an index finds them.
  and (not %(odd)s::boolean or (odd is not null and severity_number >= 13))
  and (not %(failed)s::boolean or relayscope_store.is_failure(kind, body))
order by case when %(sort)s::text = 'size' and not %(ascending)s::boolean then size end desc nulls last,
         case when %(sort)s::text = 'size' and %(ascending)s::boolean then size end nulls last,
         case when %(ascending)s::boolean then time end,
         case when %(ascending)s::boolean then time_unix_nano end, time desc, time_unix_nano desc
limit %(most)s

-- messages_searched --
-- Those of them that hold a text or have attributes: found by an index where there is one.
select time, component, direction, peer, kind, method, tool, request_id, error_code, odd,
       message_id, body, size, trace_id, span_id, time_unix_nano, attributes
from (
    select time, component,
           relayscope_store.direction_of(said.attributes) as direction,
           relayscope_store.peer_of(said.attributes) as peer,
           relayscope_store.kind_of(said.attributes) as kind,
           relayscope_store.method_of(said.attributes) as method,
           relayscope_store.tool_of(said.attributes) as tool,
           relayscope_store.request_id_of(said.attributes) as request_id,
           relayscope_store.error_code_of(said.attributes) as error_code,
           relayscope_store.odd_of(said.attributes) as odd,
           relayscope_store.message_id_of(said.attributes) as message_id,
           relayscope_store.size_of(said.attributes) as size,
           body, trace_id, span_id, time_unix_nano, said.attributes, severity_number
    from (
        select distinct one from unnest(coalesce(%(attributes)s::jsonb[], array[null::jsonb])) as one
    ) as wanted (attributes)
    cross join lateral relayscope_store.newest(
        %(text)s, wanted.attributes, %(since)s, %(until)s, null, null, null, null, null
    ) as said
    where event_name = 'mcp.message'
) as message
where relayscope_store.fits(component, %(component)s)
  and relayscope_store.fits(peer, %(peer)s)
  and relayscope_store.fits(direction, %(direction)s)
  and relayscope_store.fits(kind, %(kind)s)
  and relayscope_store.fits(method, %(method)s)
  and relayscope_store.fits(tool, %(tool)s)
  and relayscope_store.fits(trace_id, %(trace)s)
  and relayscope_store.at_least(severity_number, %(level)s::smallint)
  and (not %(odd)s::boolean or odd is not null)
  and (not %(failed)s::boolean or relayscope_store.is_failure(kind, body))
order by case when %(sort)s::text = 'size' and not %(ascending)s::boolean then size end desc nulls last,
         case when %(sort)s::text = 'size' and %(ascending)s::boolean then size end nulls last,
         case when %(ascending)s::boolean then time end,
         case when %(ascending)s::boolean then time_unix_nano end, time desc, time_unix_nano desc
limit %(most)s

-- calls --
-- The newest calls, newest first.
select time, component, side, peer, method, tool, outcome, duration, waited, error_type, error_code,
       odd, request_id, trace_id, span_id, request, answer
from relayscope.calls
where time >= %(since)s and time < %(until)s
  and relayscope_store.fits(time, %(times)s)
  and relayscope_store.fits(component, %(component)s)
  and relayscope_store.fits(peer, %(peer)s)
  and relayscope_store.fits(side, %(side)s)
  and relayscope_store.fits(method, %(method)s)
  and relayscope_store.fits(tool, %(tool)s)
  and relayscope_store.fits(outcome, %(outcome)s)
  and relayscope_store.fits(trace_id, %(trace)s)
  and relayscope_store.fits(attributes, %(attributes)s)
  and (%(slower_than)s::interval is null or coalesce(duration, waited) > %(slower_than)s)
  and (not %(failed)s::boolean or outcome <> 'ok')
  -- Odd messages are few: they are read once, and their traces are looked up.
  and (
    not %(odd)s::boolean
    or (
      trace_id = any(
        array(
            select distinct odd_messages.trace_id
            from relayscope.odd_messages
            where odd_messages.time >= %(since)s
        )
      )
      and odd is not null
    )
  )
  and (%(text)s::text is null or strpos(concat(request, ' ', answer), %(text)s) > 0)
order by case when %(sort)s::text = 'duration' and not %(ascending)s::boolean
              then coalesce(duration, waited) end desc nulls last,
         case when %(sort)s::text = 'duration' and %(ascending)s::boolean
              then coalesce(duration, waited) end nulls last,
         case when %(ascending)s::boolean then time end, time desc
limit %(most)s

-- traces --
-- The newest traces, newest first, by when they began. What is asked of calls, one call of the trace
-- has all of.
select trace.start_time, trace.trace_id, trace.name, trace.component, trace.components,
       trace.duration, trace.spans, trace.errors, trace.messages, trace.odd_messages
from relayscope.trace_summary as trace
left join lateral (
    select true as found
    from relayscope.calls
    -- The first condition is known before: where nothing is asked of calls, none is read.
    where coalesce(%(peer)s::text[], %(method)s, %(tool)s, %(outcome)s) is not null
      and calls.trace_id = trace.trace_id
      and relayscope_store.fits(calls.peer, %(peer)s)
      and relayscope_store.fits(calls.method, %(method)s)
      and relayscope_store.fits(calls.tool, %(tool)s)
      and relayscope_store.fits(calls.outcome, %(outcome)s)
    limit 1
) as made on true
-- A request that has no span yet, or whose process did not live to end it, is no error of a span.
left join lateral (
    select true as found
    from relayscope.calls
    where %(failed)s::boolean and calls.trace_id = trace.trace_id and calls.outcome <> 'ok'
    limit 1
) as wrong on true
where trace.start_time >= %(since)s and trace.start_time < %(until)s
  and relayscope_store.fits(trace.start_time, %(times)s)
  and (%(component)s::text[] is null or trace.components && %(component)s)
  and relayscope_store.fits(trace.trace_id, %(trace)s)
  and (%(slower_than)s::interval is null or trace.duration > %(slower_than)s)
  and (not %(odd)s::boolean or trace.odd_messages > 0)
  and (not %(failed)s::boolean or trace.errors > 0 or wrong.found)
  and (
    (
        %(peer)s::text[] is null and %(method)s::text[] is null and %(tool)s::text[] is null
        and %(outcome)s::text[] is null
    )
    or made.found
  )
  -- Found by the indexes on texts and attributes, which know no traces: of what else is in the list's time,
  -- nothing is read. A record may be of a clock that is behind, and come when its trace has begun.
  and (
    %(text)s::text is null
    or trace.trace_id = any(
        array(
            select distinct said.trace_id
            from relayscope.search(
                %(text)s, %(since)s - interval '1 minute', %(until)s + interval '10 minutes', most => null
            ) as said
        )
    )
  )
  and (
    %(attributes)s::jsonb[] is null
    or trace.trace_id = any(
        array(
            select recorded.trace_id
            from unnest(%(attributes)s) as wanted (attributes)
            cross join lateral relayscope.logs_having(
                wanted.attributes, %(since)s - interval '1 minute', %(until)s + interval '10 minutes', most => null
            ) as recorded
            union
            select spans.trace_id
            from relayscope.spans
            where spans.start_time >= %(since)s
              and spans.start_time < %(until)s + interval '10 minutes'
              and relayscope_store.fits(spans.attributes, %(attributes)s)
        )
    )
  )
order by case when not %(ascending)s::boolean then case %(sort)s::text
             when 'duration' then extract(epoch from trace.duration)
             when 'errors' then trace.errors
             when 'messages' then trace.messages
             when 'odd_messages' then trace.odd_messages
         end end desc nulls last,
         case when %(ascending)s::boolean then case %(sort)s::text
             when 'duration' then extract(epoch from trace.duration)
             when 'errors' then trace.errors
             when 'messages' then trace.messages
             when 'odd_messages' then trace.odd_messages
         end end nulls last,
         case when %(ascending)s::boolean then trace.start_time end, trace.start_time desc
limit %(most)s

-- newest_spans --
-- When the newest span before `until` began, and when the last of the `rows` newest did (`near`), if there are as many.
select max(time) as time, case when count(*) = %(rows)s then min(time) end as near
from (
    select start_time as time
    from relayscope.spans
    where start_time < %(until)s
    order by start_time desc
    limit %(rows)s
) as newest

-- newest_records --
-- The same of log records.
select max(time) as time, case when count(*) = %(rows)s then min(time) end as near
from (
    select time
    from relayscope.logs
    where time < %(until)s
    order by time desc
    limit %(rows)s
) as newest

-- newest_calls --
-- The same of what calls are made of: between `time` and `near` there are no more of either.
select max(time) as time, max(near) as near
from (
    select max(time) as time, case when count(*) = %(rows)s then min(time) end as near
    from (
        select start_time as time
        from relayscope.spans
        where start_time < %(until)s
        order by start_time desc
        limit %(rows)s
    ) as newest
    union all
    select max(time) as time, case when count(*) = %(rows)s then min(time) end as near
    from (
        select time
        from relayscope.logs
        where time < %(until)s
        order by time desc
        limit %(rows)s
    ) as newest
) as both_ends

-- oldest_spans --
-- When the oldest span from `since` on began, and when the last of the `rows` oldest did (`near`), if there are as many.
select min(time) as time, case when count(*) = %(rows)s then max(time) end as near
from (
    select start_time as time
    from relayscope.spans
    where start_time >= %(since)s
    order by start_time
    limit %(rows)s
) as oldest

-- oldest_records --
-- The same of log records.
select min(time) as time, case when count(*) = %(rows)s then max(time) end as near
from (
    select time
    from relayscope.logs
    where time >= %(since)s
    order by time
    limit %(rows)s
) as oldest

-- oldest_calls --
-- The same of what calls are made of: between `time` and `near` there are no more of either.
select min(time) as time, min(near) as near
from (
    select min(time) as time, case when count(*) = %(rows)s then max(time) end as near
    from (
        select start_time as time
        from relayscope.spans
        where start_time >= %(since)s
        order by start_time
        limit %(rows)s
    ) as oldest
    union all
    select min(time) as time, case when count(*) = %(rows)s then max(time) end as near
    from (
        select time
        from relayscope.logs
        where time >= %(since)s
        order by time
        limit %(rows)s
    ) as oldest
) as both_ends

-- records --
-- The newest records of both kinds, newest first.
select time, component, severity_text, severity_number, event_name, direction, peer, kind, method,
       tool, request_id, odd, body, trace_id, span_id, time_unix_nano, attributes
from (
    select time, component, severity_text, severity_number, event_name,
           relayscope_store.direction_of(attributes) as direction,
           relayscope_store.peer_of(attributes) as peer,
           relayscope_store.kind_of(attributes) as kind,
           relayscope_store.method_of(attributes) as method,
           relayscope_store.tool_of(attributes) as tool,
           relayscope_store.request_id_of(attributes) as request_id,
           relayscope_store.odd_of(attributes) as odd,
           body, trace_id, span_id, time_unix_nano, attributes
    from relayscope.logs
) as record
where time >= %(since)s and time < %(until)s
  and (%(all)s::boolean or not relayscope_store.is_routine(event_name, severity_number))
  and relayscope_store.fits(component, %(component)s)
  and relayscope_store.fits(peer, %(peer)s)
  and relayscope_store.fits(direction, %(direction)s)
  and relayscope_store.fits(kind, %(kind)s)
  and relayscope_store.fits(method, %(method)s)
  and relayscope_store.fits(tool, %(tool)s)
  and relayscope_store.fits(trace_id, %(trace)s)
  and relayscope_store.fits(attributes, %(attributes)s)
  and relayscope_store.at_least(severity_number, %(level)s::smallint)
  and (%(text)s::text is null or strpos(body, %(text)s) > 0)
  and (not %(odd)s::boolean or (odd is not null and severity_number >= 13))
  and (not %(failed)s::boolean or relayscope_store.is_failure(kind, body))
order by time desc, time_unix_nano desc
limit %(most)s

-- components --
-- What each component has sent.
select * from relayscope.components(%(since)s, %(until)s) order by component

-- service_calls --
-- Who called whom.
select caller, callee, method, calls, failed, unanswered, mean, p50, p95, longest
from relayscope.service_calls(%(since)s, %(until)s)
order by calls desc, caller, callee, method

-- delivery --
-- Channels of which not every message is stored, and processes whose last record is not known: they run,
-- or have ended without saying so, and may have emitted what was never sent. Where all is stored that a
-- process has sent, its channels lack what a level has left out, and nothing.
select component, process, channel, peer, first_sequence, last_sequence, stored, missing,
       unknown_since
from (
    select *, bool_or(channel is null and missing = 0) over (partition by component, process) as has_all
    from relayscope.delivery(%(since)s, %(until)s)
) as each
where (missing > 0 and has_all is not true) or (channel is null and unknown_since is not null)
order by component, process, channel

-- level_changes --
-- The newest changes of levels.
select time, change, component, level, peer, method, tool, direction, host_logs, until, by
from relayscope.level_changes
order by time desc
limit 20
