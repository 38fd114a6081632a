-- A statement of what is wrong, as problems.sql has them.

-- unread_pages --
-- Lists of which nobody has asked for the next page: who stops there does not know of what is on it. Each is
-- told by who asked, or by who was asked where the other is not recorded.
with asked as materialized (
    select trace_id, span_id, parent_span_id, component, kind as side, peer, method, start_time as time
    from relayscope.spans
    where start_time >= %(since)s and start_time < %(until)s
      and kind in ('client', 'server')
      and method in ('tools/list', 'resources/list', 'resources/templates/list', 'prompts/list')
    order by start_time desc
    limit 500
),
said as materialized (
    select asked.*, messages.kind, messages.message_id, left(messages.body, 2000) as body,
           nullif(
               case messages.kind
                   when 'request' then messages.json #>> '{params,cursor}'
                   else messages.json #>> '{result,nextCursor}'
               end,
               ''
           ) as cursor
    from relayscope.messages
    join asked on asked.trace_id = messages.trace_id and asked.span_id = messages.span_id
    where messages.trace_id = any(array(select asked.trace_id from asked))
      and messages.kind in ('request', 'result')
),
unread as (
    select *
    from said
    where kind = 'result' and cursor is not null
      -- Who has just been answered may still ask.
      and time < least(%(until)s::timestamptz, now()) - interval '10 seconds'
      and not exists (
          select from said as next
          where next.kind = 'request' and next.cursor = said.cursor and next.method = said.method
            and next.side = said.side and next.component is not distinct from said.component
            and next.time >= said.time
      )
      and not (side = 'server' and exists (
          select from asked
          where asked.trace_id = said.trace_id and asked.span_id = said.parent_span_id
      ))
)
select alike.*, relayscope_store.callee_of(trace_id, span_id) as callee
from (
    select component, side, case side when 'client' then peer end as peer, method,
           count(*) as occasions, min(time) as first_time, max(time) as last_time,
           (array_agg(trace_id order by time desc))[1] as trace_id,
           (array_agg(span_id order by time desc))[1] as span_id,
           (array_agg(message_id order by time desc))[1] as message_id,
           (array_agg(body order by time desc))[1] as evidence
    from unread
    group by 1, 2, 3, 4
    order by count(*) desc, max(time) desc
    limit %(most)s
) as alike
