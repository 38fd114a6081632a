-- The statements of calls and connections that went wrong, for problems: in the form of queries.sql, with
-- the parameters of problems.sql.

-- failed_calls --
-- Calls that went wrong, each where it began to: what fails below fails above, too.
-- What may be one is found in two scans; only of these are the calls put together, by their traces.
with ended as materialized (
    select trace_id, span_id, start_time, status = 'error' or error_type is not null as failed
    from relayscope.spans
    where start_time >= %(since)s and start_time < %(until)s
      and kind in ('client', 'server') and attributes ? 'jsonrpc.request.id'
),
-- Requests of which the span has not ended, or the process did first.
open as materialized (
    select asked.trace_id, asked.span_id, asked.component, asked.time,
           relayscope_store.process_of(asked.resource) as process
    from relayscope.messages as asked
    where asked.time >= %(since)s and asked.time < %(until)s and asked.kind = 'request'
      -- One that has only just been sent has every right to be open.
      and asked.time < now() - interval '5 seconds'
      and not exists (
          select from ended
          where ended.trace_id = asked.trace_id and ended.span_id = asked.span_id
      )
),
suspect as materialized (
    (select trace_id from ended where failed order by start_time desc limit 2000)
    union
    (select trace_id from open order by time desc limit 500)
),
found as materialized (
    select trace_id, span_id, component, side, peer, method, tool, time, waited, outcome, error_type,
           error_code, odd, md5(request) as said
    from relayscope.calls
    where trace_id = any(array(select trace_id from suspect where trace_id is not null))
      and time >= %(since)s and time < %(until)s and outcome <> 'ok'
      -- With this a client finds out what a server speaks. One with a handshake answers with an error,
      -- and the client goes on with that; -32022 may be the end: they have no version in common.
      and not (
          method is not distinct from 'server/discover'
          and coalesce(error_type, error_code::text, '') ~ '^(-(?!32022$)\d+|4\d\d)$'
      )
    order by time desc
    limit 2000
),
-- When processes have said that they had to drop more than before.
loss as materialized (
    select process, time
    from (
        select process, time,
               total > lag(total, 1, 0::numeric) over (partition by process order by time) as is_more
        from (
            select relayscope_store.process_of(account.resource) as process, account.time, dropped.total
            from relayscope.other_logs as account
            cross join lateral (
                select coalesce(sum(relayscope_store.whole_number(value)), 0) as total
                from jsonb_each_text(
                    case jsonb_typeof(account.attributes -> 'relayscope.delivery.dropped')
                        when 'object' then account.attributes -> 'relayscope.delivery.dropped'
                    end
                )
            ) as dropped
            where account.time >= %(since)s and account.event_name = 'relayscope.delivery'
        ) as said
    ) as said
    where is_more
),
-- At once, and not for each call: where no spans are recorded, all requests are open.
lost as materialized (
    select distinct open.trace_id, open.span_id, open.component, open.time
    from open
    join loss on loss.process = open.process and loss.time >= open.time
    where open.trace_id in (select trace_id from suspect)
),
failed as materialized (
    select found.*, its_span.span_id is null as is_open,
           -- What has been dropped afterwards may be the answer.
           its_span.span_id is null and found.outcome = 'unanswered' and exists (
               select from lost
               where lost.trace_id = found.trace_id and lost.span_id = found.span_id
                 and lost.time = found.time and lost.component is not distinct from found.component
           ) as is_lost,
           -- What was called for something that was cancelled meanwhile.
           found.outcome = 'unanswered' and exists (
               select from found as above
               where above.trace_id = found.trace_id and above.error_type = 'cancelled'
                 and found.time between above.time and above.time + above.waited
           ) as is_cancelled
    from found
    left join (
        select distinct ended.trace_id, ended.span_id
        from ended
        where ended.trace_id = any(array(select found.trace_id from found))
    ) as its_span on its_span.trace_id = found.trace_id and its_span.span_id = found.span_id
    where its_span.span_id is not null or found.time < now() - interval '5 seconds'
),
first as (
    select failed.*
    from failed
    where not exists (
        select from relayscope.spans as below
        where below.trace_id = failed.trace_id and below.parent_span_id = failed.span_id
          and below.attributes ? 'jsonrpc.request.id'
          and not (
              below.attributes ->> 'mcp.method.name' is not distinct from 'server/discover'
              and coalesce(
                  below.error_type, relayscope_store.error_code_of(below.attributes)::text, ''
              ) ~ '^(-(?!32022$)\d+|4\d\d)$'
          )
          and (
              below.status = 'error' or below.error_type is not null
              or relayscope_store.error_code_of(below.attributes) is not null
          )
    )
    -- A call without a span, because it is open or its process died, is not known by its parent: what
    -- is served has the very text of what was sent, and what a component asks then, it asks for it.
    and not exists (
        select from failed as below
        where below.trace_id = failed.trace_id and below.is_open and below.time >= failed.time
          and (failed.is_lost or not below.is_lost)
          and case failed.side
              when 'client' then failed.outcome in ('unanswered', 'transport_error')
                  and below.side = 'server' and below.said = failed.said
                  and below.component is distinct from failed.component
              else failed.is_open and below.side = 'client'
                  and below.component is not distinct from failed.component
          end
    )
),
alike as (
    -- Who connects comes from another port each time; who is in the same process is another server.
    select component, side, case when side = 'client' or peer = 'memory' then peer end as peer, method, tool, outcome,
           case when is_cancelled then 'cancelled' else error_type end as error_type, error_code, odd,
           is_lost,
           count(*) as occasions, min(time) as first_time, max(time) as last_time,
           (array_agg(trace_id order by time desc))[1] as trace_id,
           (array_agg(span_id order by time desc))[1] as span_id,
           (array_agg(said order by time desc))[1] as said,
           (array_agg(waited order by time desc))[1] as waited
    from first
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    order by count(*) desc
    limit %(most)s
),
-- Connections that were not made; each is told for itself, and not again with what it was to be made for.
unconnected as materialized (
    select component, peer, error_type, count(*) as connections
    from relayscope.spans
    where start_time >= %(since)s and start_time < %(until)s
      and kind = 'client' and error_type is not null and not attributes ? 'jsonrpc.request.id'
      and exists (select from alike where outcome = 'transport_error')
    group by component, peer, error_type
)
select alike.*, relayscope_store.callee_of(alike.trace_id, alike.span_id) as callee,
       coalesce(case when said.is_answer then said.body end, its_span.body, said.body) as evidence
from alike
left join lateral (
    select left(messages.body, 2000) as body, messages.kind in ('error', 'result') as is_answer
    from relayscope.messages
    where messages.trace_id = alike.trace_id and messages.span_id = alike.span_id
    order by messages.kind in ('error', 'result') desc, messages.time desc
    limit 1
) as said on true
-- Where no message says why, the transport may: an exception, or a response that was no message.
left join lateral (
    select left(nullif(spans.status_message, ''), 2000) as body
    from relayscope.spans
    where spans.trace_id = alike.trace_id and spans.span_id = alike.span_id
    limit 1
) as its_span on true
where alike.outcome <> 'transport_error' or not exists (
    select from unconnected
    where unconnected.component = alike.component and unconnected.peer = alike.peer
      and unconnected.error_type = alike.error_type
      and unconnected.connections >= (
          select sum(other.occasions)
          from alike as other
          where other.outcome = 'transport_error' and other.component = alike.component
            and other.peer = alike.peer and other.error_type = alike.error_type
      )
)
order by alike.occasions desc, alike.last_time desc

-- failed_connections --
-- Connections that were not made, and children that did not start: no call could be.
select component, peer, error_type,
       attributes ->> 'network.transport' is not distinct from 'pipe' as is_child,
       count(*) as occasions, min(start_time) as first_time, max(start_time) as last_time,
       (array_agg(trace_id order by start_time desc))[1] as trace_id,
       (array_agg(span_id order by start_time desc))[1] as span_id,
       (array_agg(status_message order by start_time desc))[1] as evidence
from relayscope.spans
where start_time >= %(since)s and start_time < %(until)s
  and kind = 'client' and error_type is not null and not attributes ? 'jsonrpc.request.id'
group by component, peer, error_type, is_child
order by count(*) desc, max(start_time) desc
limit %(most)s
