-- A statement of what is wrong, as problems.sql has them.

-- unread_lists --
-- Lists that nobody has read to their end, of which `what` says why: `page`, nobody has asked for the next page,
-- and who stops there does not know of what is on it; `cursor`, the answer names the page that was asked for, so
-- that the list has no end; `same`, it names another, but is the page before over again; `change`, nobody has asked for the list since it has changed. The last call for a
-- list tells the first two. Each is told by who asked, or by who was asked where the other is not recorded.
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
),
-- Lists of tools alone: many clients have no use for the others.
changed as materialized (
    select distinct on (component, peer)
           component, peer, trace_id, span_id, parent_span_id, start_time as time
    from relayscope.spans
    where start_time >= %(since)s and start_time < %(until)s
      and kind = 'server' and method = 'notifications/tools/list_changed'
    order by component, peer, start_time desc
    limit 200
)
select found.*, 1 as occasions, found.time as first_time, found.time as last_time
from (
    select case
               when answer.cursor = question.cursor then 'cursor'
               when page_before.is_same then 'same'
               else 'page'
           end as what,
           asked.component, asked.side, asked.peer, asked.method, asked.trace_id, asked.span_id, asked.time,
           answer.message_id, answer.body as evidence,
           relayscope_store.callee_of(asked.trace_id, asked.span_id) as callee
    from asked
    cross join lateral (
        select messages.message_id, left(messages.body, 2000) as body, messages.json -> 'result' as page,
               messages.json #>> '{result,nextCursor}' as cursor
        from relayscope.messages
        where messages.trace_id = asked.trace_id and messages.span_id = asked.span_id
          and messages.kind = 'result'
          and nullif(messages.json #>> '{result,nextCursor}', '') is not null
        limit 1
    ) as answer
    left join lateral (
        select messages.json #>> '{params,cursor}' as cursor
        from relayscope.messages
        where messages.trace_id = asked.trace_id and messages.span_id = asked.span_id
          and messages.kind = 'request'
        limit 1
    ) as question on true
    -- The page that brought the cursor; who reads a list that has no end asks for it in one go.
    left join lateral (
        select said.json -> 'result' = jsonb_set(answer.page, '{nextCursor}', to_jsonb(question.cursor)) as is_same
        from (
            select spans.trace_id, spans.span_id
            from relayscope.spans
            where question.cursor is not null
              and spans.start_time >= asked.time - interval '1 minute' and spans.start_time < asked.time
              and spans.component = asked.component and spans.kind = asked.side
              and spans.method = asked.method
              and (asked.side = 'server' or spans.peer is not distinct from asked.peer)
            order by spans.start_time desc
            limit 1
        ) as before
        join relayscope.messages as said
            on said.trace_id = before.trace_id and said.span_id = before.span_id
        where said.kind = 'result'
          -- A server that leaves out what is not for everybody may have several pages of nothing.
          and answer.page @? 'strict $.* ? (@.type() == "array" && @.size() > 0)'
        limit 1
    ) as page_before on true
    -- Who has just been answered may still ask.
    where (asked.time < least(%(until)s::timestamptz, now()) - interval '10 seconds'
           or answer.cursor = question.cursor or page_before.is_same)
      and not (asked.side = 'server' and exists (
          select from relayscope.spans as made
          where made.trace_id = asked.trace_id and made.span_id = asked.parent_span_id
      ))
    union all
    select 'change', changed.component, 'client', changed.peer, 'tools/list', changed.trace_id, changed.span_id,
           changed.time, null, null,
           (
               select sender.component
               from relayscope.spans as sender
               where sender.trace_id = changed.trace_id and sender.span_id = changed.parent_span_id
               limit 1
           )
    from changed
    where changed.time < least(%(until)s::timestamptz, now()) - interval '10 seconds'
      -- By the last calls for a list, which are known: to look for later ones would read all spans once more.
      and not exists (
          select from asked
          where asked.time >= changed.time and asked.side = 'client' and asked.method = 'tools/list'
            and asked.component is not distinct from changed.component
            and asked.peer is not distinct from changed.peer
      )
) as found
order by found.time desc
limit %(most)s
