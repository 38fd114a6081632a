-- A statement of what is wrong, as problems.sql has them.

-- unread_pages --
-- Lists of which nobody has asked for the next page: who stops there does not know of what is on it. The last
-- call for a list tells it, if its answer names another page. Each is told by who asked, or by who was asked
-- where the other is not recorded.
with asked as materialized (
    -- Who connects comes from another port each time.
    select distinct on (component, kind, method, case kind when 'client' then peer end)
           component, kind as side, method, case kind when 'client' then peer end as peer,
           trace_id, span_id, parent_span_id, start_time as time
    from relayscope.spans
    where start_time >= %(since)s and start_time < %(until)s
      and kind in ('client', 'server')
      and method in ('tools/list', 'resources/list', 'resources/templates/list', 'prompts/list')
    order by component, kind, method, case kind when 'client' then peer end, start_time desc
    limit 200
)
select asked.component, asked.side, asked.peer, asked.method, asked.trace_id, asked.span_id,
       1 as occasions, asked.time as first_time, asked.time as last_time,
       said.message_id, left(said.body, 2000) as evidence,
       relayscope_store.callee_of(asked.trace_id, asked.span_id) as callee
from asked
cross join lateral (
    select messages.message_id, messages.body
    from relayscope.messages
    where messages.trace_id = asked.trace_id and messages.span_id = asked.span_id
      and messages.kind = 'result'
      and nullif(messages.json #>> '{result,nextCursor}', '') is not null
    limit 1
) as said
-- Who has just been answered may still ask.
where asked.time < least(%(until)s::timestamptz, now()) - interval '10 seconds'
  and not (asked.side = 'server' and exists (
      select from relayscope.spans as made
      where made.trace_id = asked.trace_id and made.span_id = asked.parent_span_id
  ))
order by asked.time desc
limit %(most)s
