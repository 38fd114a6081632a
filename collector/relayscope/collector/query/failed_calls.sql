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
suspect as materialized (
    (select trace_id from ended where failed order by start_time desc limit 2000)
    union
    -- Its span has not ended, or its process did first.
    (
        select asked.trace_id
        from relayscope.messages as asked
        where asked.time >= %(since)s and asked.time < %(until)s and asked.kind = 'request'
          -- One that has only just been sent has every right to be open.
          and asked.time < now() - interval '5 seconds'
          and not exists (
              select from ended
              where ended.trace_id = asked.trace_id and ended.span_id = asked.span_id
          )
        order by asked.time desc
        limit 500
    )
),
found as materialized (
    select trace_id, span_id, component, side, peer, method, tool, time, waited, outcome, error_type,
           error_code, odd, md5(request) as said
    from relayscope.calls
    where trace_id = any(array(select trace_id from suspect where trace_id is not null))
      and time >= %(since)s and time < %(until)s and outcome <> 'ok'
    order by time desc
    limit 2000
),
-- What processes say of themselves and of their channels, which is little beside messages.
account as materialized (
    select time, component, event_name, severity_number, attributes,
           attributes ->> 'relayscope.channel.id' as channel,
           relayscope_store.process_of(resource) as process
    from relayscope.other_logs
    where time >= %(since)s and event_name in ('relayscope.delivery', 'relayscope.channel.closed')
),
-- When processes have said that they had to drop more than before.
loss as materialized (
    select process, time
    from (
        select process, time,
               total > lag(total, 1, 0::numeric) over (partition by process order by time) as is_more
        from (
            select process, time, dropped.total
            from account
            cross join lateral (
                select coalesce(sum(relayscope_store.whole_number(value)), 0) as total
                from jsonb_each_text(
                    case jsonb_typeof(account.attributes -> 'relayscope.delivery.dropped')
                        when 'object' then account.attributes -> 'relayscope.delivery.dropped'
                    end
                )
            ) as dropped
            where account.event_name = 'relayscope.delivery'
        ) as said
    ) as said
    where is_more
),
failed as materialized (
    select found.*, its_span.span_id is null as is_open,
           -- What has been dropped afterwards may be the answer.
           its_span.span_id is null and found.outcome = 'unanswered' and exists (
               select from loss
               where loss.time >= found.time and loss.process = (
                   select relayscope_store.process_of(asked.resource)
                   from relayscope.messages as asked
                   where asked.trace_id = found.trace_id and asked.span_id = found.span_id
                     and asked.component is not distinct from found.component
                   limit 1
               )
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
    -- Who connects comes from another port each time.
    select component, side, case side when 'client' then peer end as peer, method, tool, outcome,
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
-- What those have listed who answered a call of a tool with an error, or who did not know it. By the calls
-- for it, of which there are far less than messages.
listed as materialized (
    select trace_id, span_id, component, kind, peer, start_time as time
    from relayscope.spans
    where start_time >= %(since)s and start_time < %(until)s
      and kind in ('client', 'server') and method = 'tools/list'
      and component in (select alike.component from alike where alike.tool is not null)
      and exists (select from alike where outcome in ('tool_error', 'protocol_error'))
    order by start_time desc
    limit 200
),
listing as materialized (
    select listed.component, listed.kind, listed.peer, listed.time,
           jsonb_path_query_array(said.json, 'lax $.result.tools[*].name') as names,
           said.json #> '{result,nextCursor}' is not null as has_more
    from relayscope.messages as said
    join listed on listed.trace_id = said.trace_id and listed.span_id = said.span_id
    where said.trace_id = any(array(select listed.trace_id from listed))
      and said.kind = 'result' and said.method = 'tools/list'
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
       coalesce(
           why.body, above.body, case when said.is_answer then said.body end, its_span.body, said.body
       ) as evidence,
       closing.attributes as closing, lists.lists
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
left join lateral (
    select left(logs.body, 2000) as body
    from relayscope.logs
    where alike.outcome = 'transport_error'
      and logs.trace_id = alike.trace_id and logs.span_id = alike.span_id
      and logs.event_name = 'relayscope.message.send_failed'
    limit 1
) as why on true
-- Who has answered without waiting may say there why.
left join lateral (
    select left(messages.body, 2000) as body
    from relayscope.spans as its_call
    join relayscope.messages
        on messages.trace_id = its_call.trace_id and messages.span_id = its_call.parent_span_id
    where alike.error_type = 'relayscope.answered_above' and alike.odd is null
      and its_call.trace_id = alike.trace_id and its_call.span_id = alike.span_id
      and messages.component = alike.component and messages.kind in ('error', 'result')
    order by messages.time desc
    limit 1
) as above on true
-- How a connection ended on which the request had gone, at either end: who has died cannot tell it.
left join lateral (
    select account.attributes
    from relayscope.messages as carried
    join account
        on account.channel = carried.channel
        and account.component is not distinct from carried.component
    where (alike.outcome = 'transport_error' or alike.error_type = 'relayscope.answered_above'
           or coalesce(alike.error_type, 'relayscope.unanswered') = 'relayscope.unanswered')
      and alike.outcome in ('unanswered', 'transport_error') and alike.odd is null
      and carried.trace_id = alike.trace_id and carried.kind = 'request'
      and (carried.span_id = alike.span_id or md5(carried.body) = alike.said)
      and account.event_name = 'relayscope.channel.closed'
      and account.time >= carried.time
      -- Nobody knows how long one is open whose process has died.
      and (alike.waited is null
           or account.time < carried.time + alike.waited + interval '5 seconds')
    -- Who has seen no close frame knows less than the other end.
    order by account.severity_number >= 13 desc,
             coalesce(account.attributes ->> 'relayscope.channel.close_code' = '1006', false), account.time
    limit 1
) as closing on true
left join lateral (
    select jsonb_agg(
               jsonb_build_object('names', listing.names, 'has_more', listing.has_more)
               order by listing.time desc
           ) as lists
    from listing
    where alike.tool is not null and alike.outcome in ('tool_error', 'protocol_error')
      and listing.component = alike.component
      and listing.kind = alike.side
      and (alike.side = 'server' or listing.peer is not distinct from alike.peer)
) as lists on true
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
