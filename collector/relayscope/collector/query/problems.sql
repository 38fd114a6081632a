-- The statements of what is wrong, in the form of queries.sql: for the page and `relayscope problems`.
-- Each takes `since` and `until`, and has at most `most` rows, the worst first. One row is a group of
-- occasions that look alike, with the newest of them.

-- odd_messages --
-- Messages that healthy peers would not have sent, told by who sent them where that one is recorded.
with odd as materialized (
    select time, component, peer, direction, odd, method, tool, kind, trace_id, span_id, message_id,
           body, md5(body) as said, row_number() over (order by time) as number
    from relayscope.odd_messages
    where time >= %(since)s and time < %(until)s
    order by time desc
    limit 2000
),
-- Who has said at about that time what another has heard: only they may be the two ends of a connection.
pair as materialized (
    select heard.component, sent.component as sender,
           min(sent.time) - interval '10 minutes' as since, max(sent.time) + interval '10 minutes' as until
    from odd as heard
    join odd as sent on sent.odd = heard.odd and sent.said = heard.said
    where heard.direction = 'received' and sent.direction = 'sent'
      and sent.time between heard.time - interval '10 seconds' and heard.time + interval '10 seconds'
    group by 1, 2
),
-- Under which names the one calls the other, if it does: nobody else with those words is meant.
wire as materialized (
    select pair.component, pair.sender,
           (
               select array_agg(distinct made.peer)
               from (
                   select spans.trace_id, spans.parent_span_id
                   from relayscope.spans
                   where spans.start_time >= pair.since and spans.start_time < pair.until
                     and spans.kind = 'server' and spans.parent_span_id is not null
                     and spans.component = pair.sender
                   order by spans.start_time desc
                   limit 500
               ) as served
               join relayscope.spans as made
                   on made.trace_id = served.trace_id and made.span_id = served.parent_span_id
               where made.kind = 'client' and made.component = pair.component
           ) as peers
    from pair
),
heard as materialized (
    select odd.number, odd.time, odd.odd, odd.said, wire.component, wire.sender
    from odd
    join wire on wire.component = odd.component
    where odd.direction = 'received' and (wire.peers is null or odd.peer = any(wire.peers))
),
-- As often as it was said: what was heard once more came from another of that name.
told_by_sender as materialized (
    select heard.number
    from heard
    where (
        select count(*)
        from odd as sent
        where sent.direction = 'sent' and sent.component = heard.sender
          and sent.odd = heard.odd and sent.said = heard.said
          and sent.time between heard.time - interval '10 seconds' and heard.time + interval '10 seconds'
    ) >= (
        select count(*)
        from heard as before
        where before.component = heard.component and before.sender = heard.sender
          and before.odd = heard.odd and before.said = heard.said
          and before.time >= heard.time - interval '10 seconds' and before.number <= heard.number
    )
)
select alike.*, relayscope_store.callee_of(trace_id, span_id) as callee
from (
    select component, direction, case direction when 'received' then peer end as peer, odd, method, tool,
           count(*) as occasions, min(time) as first_time, max(time) as last_time,
           (array_agg(trace_id order by time desc))[1] as trace_id,
           (array_agg(span_id order by time desc))[1] as span_id,
           (array_agg(message_id order by time desc))[1] as message_id,
           (array_agg(left(body, 2000) order by time desc))[1] as evidence
    from odd
    where not exists (select from told_by_sender where told_by_sender.number = odd.number)
    group by 1, 2, 3, 4, 5, 6
    order by count(*) desc, max(time) desc
    limit %(most)s
) as alike

-- unsent_messages --
-- Messages that could not be sent after all. A request that was not is a failed call.
with unsent as materialized (
    select time, component, trace_id, body, span_id,
           relayscope_store.kind_of(attributes) as kind,
           relayscope_store.peer_of(attributes) as peer,
           relayscope_store.method_of(attributes) as method,
           relayscope_store.tool_of(attributes) as tool,
           relayscope_store.error_type_of(attributes) as error_type,
           relayscope_store.message_id_of(attributes) as message_id
    from relayscope.other_logs
    where time >= %(since)s and time < %(until)s
      and event_name = 'relayscope.message.send_failed' and severity_number >= 13
      and relayscope_store.kind_of(attributes) is distinct from 'request'
      -- One whose record does not say so has a call that failed for it.
      and not exists (
          select from relayscope.spans as its_call
          where its_call.trace_id = other_logs.trace_id and its_call.span_id = other_logs.span_id
            and its_call.error_type = relayscope_store.error_type_of(other_logs.attributes)
      )
    order by time desc
    limit 2000
)
select component, kind, peer, method, tool, error_type,
       count(*) as occasions, min(time) as first_time, max(time) as last_time,
       (array_agg(trace_id order by time desc))[1] as trace_id,
       (array_agg(span_id order by time desc))[1] as span_id,
       (array_agg(message_id order by time desc))[1] as message_id,
       (array_agg(left(body, 2000) order by time desc))[1] as evidence
from unsent
group by 1, 2, 3, 4, 5, 6
order by count(*) desc, max(time) desc
limit %(most)s

-- slow_calls --
-- Calls that took more than twice what 95 of 100 of their like do, and 100 ms at least; each where it began:
-- who waits for a relay that waits itself, or that keeps a call (held_calls), is not told.
with answered as materialized (
    select component, peer, method, tool, trace_id, span_id, parent_span_id, start_time as time, duration
    from relayscope.spans
    where start_time >= %(since)s and start_time < %(until)s
      and kind = 'client' and attributes ? 'jsonrpc.request.id'
      -- Those that have a duration in `calls`, which looks for requests without a span besides.
      and relayscope_store.outcome(
          (case status when 'error' then 2 else 0 end)::smallint,
          error_type,
          relayscope_store.error_code_of(attributes)
      ) not in ('unanswered', 'transport_error')
),
usual as (
    select component, peer, method, tool, count(*) as calls,
           percentile_cont(0.95) within group (order by duration) as p95
    from answered
    group by component, peer, method, tool
    having count(*) >= 20
),
slow as materialized (
    select answered.component, answered.peer, answered.method, answered.tool, usual.calls, usual.p95,
           count(*) as occasions, min(answered.time) as first_time, max(answered.time) as last_time,
           max(answered.duration) as longest,
           (array_agg(answered.trace_id order by answered.duration desc))[1] as trace_id,
           (array_agg(answered.span_id order by answered.duration desc))[1] as span_id,
           (array_agg(answered.parent_span_id order by answered.duration desc))[1] as parent_span_id
    from answered
    join usual on usual.component = answered.component
    where usual.peer is not distinct from answered.peer
      and usual.method is not distinct from answered.method
      and usual.tool is not distinct from answered.tool
      and answered.duration > 2 * usual.p95 and answered.duration > interval '100 ms'
    group by answered.component, answered.peer, answered.method, answered.tool, usual.calls, usual.p95
    order by max(answered.duration) desc
    limit 2 * %(most)s
),
-- What the longest of each was made for, and for whom that was asked.
made_for as materialized (
    select slow.trace_id, slow.longest, served.parent_span_id as asked_by
    from slow
    cross join lateral (
        select spans.parent_span_id
        from relayscope.spans
        where spans.trace_id = slow.trace_id and spans.span_id = slow.parent_span_id
          and spans.kind = 'server'
        limit 1
    ) as served
)
select alike.*, relayscope_store.callee_of(trace_id, span_id) as callee
from (
    select component, peer, method, tool, calls, p95, occasions, first_time, last_time, longest,
           trace_id, span_id
    from slow
    where not exists (
        select from made_for as below
        where below.trace_id = slow.trace_id and below.asked_by = slow.span_id
          and below.longest > slow.longest / 2
    )
      and not exists (
          select
          from relayscope.spans as served
          cross join lateral (
              select min(spans.start_time) as time
              from relayscope.spans
              where spans.trace_id = served.trace_id and spans.parent_span_id = served.span_id
                and spans.kind = 'client'
          ) as first_asked
          where served.trace_id = slow.trace_id and served.parent_span_id = slow.span_id
            and served.kind = 'server' and served.method = 'tools/call'
            and first_asked.time - served.start_time >= interval '1 second'
            and first_asked.time - served.start_time > slow.longest / 2
      )
    order by longest desc
    limit %(most)s
) as alike

-- held_calls --
-- Calls of tools that a relay kept for a second or more, and for most of the time they took, before it asked
-- anybody: behind a lock, a queue or a pool that is too small, or at work of its own.
with served as materialized (
    select trace_id, span_id, component, tool, start_time, duration
    from relayscope.spans
    where start_time >= %(since)s and start_time < %(until)s
      and kind = 'server' and method = 'tools/call' and duration >= interval '1 second'
    order by start_time desc
    limit 500
),
-- Whatever was asked first: a backend that had to be started was shaken hands with before.
made as materialized (
    select distinct on (trace_id, parent_span_id) trace_id, parent_span_id, span_id, peer, start_time
    from relayscope.spans
    where trace_id = any(array(select distinct served.trace_id from served))
      and kind = 'client' and parent_span_id is not null
    order by trace_id, parent_span_id, start_time
),
held as (
    select served.component, served.tool, 'tools/call' as method, 'server' as side, made.peer,
           served.trace_id, made.span_id, served.span_id as served_span_id, served.start_time as time,
           served.duration, made.start_time - served.start_time as held
    from served
    join made on made.trace_id = served.trace_id and made.parent_span_id = served.span_id
    where made.start_time - served.start_time >= interval '1 second'
      and made.start_time - served.start_time > served.duration / 2
)
select alike.*, relayscope_store.callee_of(trace_id, made_span_id) as callee
from (
    select component, side, method, tool, peer, count(*) as occasions,
           min(time) as first_time, max(time) as last_time, max(held) as longest,
           (array_agg(duration order by held desc))[1] as duration,
           (array_agg(trace_id order by held desc))[1] as trace_id,
           (array_agg(served_span_id order by held desc))[1] as span_id,
           (array_agg(span_id order by held desc))[1] as made_span_id
    from held
    group by component, side, method, tool, peer
    order by max(held) desc
    limit %(most)s
) as alike

-- repeated_calls --
-- The same call of a tool, with the same arguments, five times or more within a minute, by one process; the
-- times are those of its densest minute.
with newest as materialized (
    select component, relayscope_store.process_of(resource) as process, peer, tool, time
    from relayscope.messages
    where time >= %(since)s and time < %(until)s
      and kind = 'request' and direction = 'sent' and method = 'tools/call'
    order by time desc
    limit 5000
),
-- Texts are what takes time: they are read of a tool only that is called so often at all.
frequent as materialized (
    select distinct time
    from (
        select time,
               count(*) over (
                   partition by component, process, peer, tool order by time
                   range between interval '1 minute' preceding and interval '1 minute' following
               ) as within_two_minutes
        from newest
    ) as called
    where within_two_minutes >= 5
),
asked as materialized (
    select component, process, peer, tool, trace_id, span_id, time,
           md5(relayscope_store.said(body)::text) as said, left(body, 2000) as body
    from (
        select component, relayscope_store.process_of(resource) as process, peer, tool, trace_id, span_id,
               time, body
        from relayscope.messages
        where time >= %(since)s and time < %(until)s and time = any(array(select time from frequent))
          and kind = 'request' and direction = 'sent' and method = 'tools/call'
        offset 0
    ) as said
    -- Here, where each text has been read: reading it once more costs as much again.
    where length(body) < 20000
),
counted as (
    select asked.*,
           count(*) over minute as within_a_minute, min(time) over minute as since
    from asked
    window minute as (
        partition by component, process, peer, tool, said order by time
        range between interval '1 minute' preceding and current row
    )
),
repeated as materialized (
    select distinct on (component, peer, tool, said) component, peer, tool, 'tools/call' as method,
           within_a_minute as occasions, since as first_time, time as last_time, trace_id, span_id,
           body as evidence
    from counted
    where within_a_minute >= 5
    order by component, peer, tool, said, within_a_minute desc, time desc
)
select alike.*, relayscope_store.callee_of(trace_id, span_id) as callee
from (
    select *
    from repeated
    -- A relay that passes on what it is asked repeats nothing: who asked it that often does.
    where not exists (
        select
        from (
            select spans.parent_span_id as span_id
            from relayscope.spans
            where spans.trace_id = repeated.trace_id and spans.span_id = repeated.span_id
              and spans.kind = 'client'
            limit 1
        ) as made_for
        cross join lateral (
            select spans.parent_span_id as span_id
            from relayscope.spans
            where spans.trace_id = repeated.trace_id and spans.span_id = made_for.span_id
              and spans.kind = 'server'
            limit 1
        ) as asked_by
        join counted as above
            on above.trace_id = repeated.trace_id and above.span_id = asked_by.span_id
        where above.within_a_minute >= repeated.occasions
    )
    order by occasions desc
    limit %(most)s
) as alike

-- who_calls_whom --
-- Calls between components, or peers where they are not recorded, whatever the method.
with made as (
    select trace_id, span_id, component, peer, method, duration,
           status = 'error' or error_type is not null as failed
    from relayscope.spans
    where start_time >= %(since)s and start_time < %(until)s
      and kind = 'client' and attributes ? 'jsonrpc.request.id'
),
served as (
    select distinct on (trace_id, parent_span_id) trace_id, parent_span_id, component
    from relayscope.spans
    where start_time >= %(since)s::timestamptz - interval '1 hour' and start_time < %(until)s
      and kind = 'server' and parent_span_id is not null and attributes ? 'jsonrpc.request.id'
    order by trace_id, parent_span_id, start_time
),
call as (
    select made.*, served.component as server
    from made
    left join served on served.trace_id = made.trace_id and served.parent_span_id = made.span_id
),
-- Who died in a call has recorded no span of it, and is the same as in all others.
known as (
    select component, peer, min(server) as server
    from call
    where server is not null
    group by component, peer
    having count(distinct server) = 1
)
select made.component as caller, coalesce(made.server, known.server, made.peer) as callee,
       coalesce(made.server, known.server) is not null as is_recorded,
       array_agg(distinct made.peer) filter (where made.peer is not null) as peers,
       count(*) as calls, count(*) filter (where made.failed) as failed,
       -- Of the calls of tools where there are any: a handshake takes its own time.
       coalesce(
           percentile_cont(0.95) within group (order by made.duration)
               filter (where not made.failed and made.method = 'tools/call'),
           percentile_cont(0.95) within group (order by made.duration) filter (where not made.failed)
       ) as p95
from call as made
left join known on known.component = made.component and known.peer = made.peer
group by 1, 2, 3
union all
select component, peer, false, array[peer], 0, count(*), null
from relayscope.spans
where start_time >= %(since)s and start_time < %(until)s
  and kind = 'client' and error_type is not null and not attributes ? 'jsonrpc.request.id'
  and peer is not null
group by component, peer
order by 5 desc, 1, 2
