-- The statements of what relays changed on the way, for problems: in the form of queries.sql, with the
-- parameters of problems.sql. Gateways change much for good reasons: names, ids, forms. What is told is what
-- few of them do on purpose, and each as one row of a relay.

-- changed_calls --
-- Relays that leave out arguments of tools or give them other values, that pass on a result with another text,
-- cut, without its error or without its structured content, or that ask another than whose name is the prefix
-- of the tool; in the newest hundred calls of tools that they made for a call of a tool of that name, but for
-- a prefix.
with made as materialized (
    select trace_id, span_id, parent_span_id, component, peer, tool, start_time as time
    from relayscope.spans
    where start_time >= %(since)s and start_time < %(until)s
      and kind = 'client' and method = 'tools/call' and parent_span_id is not null
      and attributes ? 'jsonrpc.request.id'
    order by start_time desc
    limit 100
),
-- All of them at once: one by one, those of a large trace would be read again for each of its calls.
served as materialized (
    select trace_id, span_id, parent_span_id, component, tool
    from relayscope.spans
    where trace_id = any(array(select distinct trace_id from made))
      and kind = 'server' and method = 'tools/call'
),
leg as materialized (
    select made.*, served.tool as asked_tool
    from (
        -- What is put together from several calls is another by its nature.
        select made.*, count(*) over (partition by trace_id, parent_span_id) as calls from made
    ) as made
    join served
        on served.trace_id = made.trace_id and served.span_id = made.parent_span_id
        and served.component is not distinct from made.component
    where made.calls = 1
      and (right(served.tool, length(made.tool)) = made.tool
           or right(made.tool, length(served.tool)) = served.tool)
),
-- Only what is compared: a text is read out of a chunk of texts, which takes most of the time here.
said as materialized (
    select trace_id, span_id, component, kind, body
    from (
        select trace_id, span_id, component, kind, body
        from relayscope.messages
        where trace_id = any(array(select distinct trace_id from leg))
          and coalesce(component, '') = any(array(select distinct coalesce(leg.component, '') from leg))
          and kind in ('request', 'result') and method = 'tools/call' and odd is null
          and span_id = any(array(select unnest(array[leg.span_id, leg.parent_span_id]) from leg))
        -- Here, where each text has been read: reading it once more costs as much again.
        offset 0
    ) as said
    where octet_length(body) < 20000
),
texts as materialized (
    select leg.component, leg.peer, leg.tool, leg.asked_tool, leg.time, leg.trace_id, leg.span_id,
           min(said.body) filter (where said.span_id <> leg.span_id and said.kind = 'request')
               as request_in,
           min(said.body) filter (where said.span_id = leg.span_id and said.kind = 'request')
               as request_out,
           min(said.body) filter (where said.span_id = leg.span_id and said.kind = 'result')
               as answer_in,
           min(said.body) filter (where said.span_id <> leg.span_id and said.kind = 'result')
               as answer_out
    from (
        select leg.*, leg_span.id as one_of
        from leg
        cross join lateral unnest(array[span_id, parent_span_id]) as leg_span (id)
    ) as leg
    join said on said.trace_id = leg.trace_id and said.span_id = leg.one_of
    where said.component is not distinct from leg.component
    group by 1, 2, 3, 4, 5, 6, 7
),
known as materialized (
    select distinct component, lower(component) as name
    from relayscope_store.process
),
change as (
    select texts.*, 'arguments' as what, request_in as before, request_out as after, dropped.names
    from texts
    cross join lateral (
        select relayscope_store.arguments_of(request_in) as came,
               relayscope_store.arguments_of(request_out) as went
        offset 0
    ) as arguments
    cross join lateral (
        select array_agg(argument.key order by argument.key) as names
        from jsonb_each(case jsonb_typeof(came) when 'object' then came else '{}' end) as argument
        -- One that is null may as well be left out.
        where argument.value <> 'null' and not went ? argument.key
    ) as dropped
    where jsonb_typeof(went) = 'object' and dropped.names is not null
    union all
    select texts.*, 'values', request_in, request_out, changed.names
    from (
        select *
        from texts
        where relayscope_store.said(request_in) <> relayscope_store.said(request_out)
        offset 0
    ) as texts
    cross join lateral (
        select relayscope_store.arguments_of(request_in) as came,
               relayscope_store.arguments_of(request_out) as went
        offset 0
    ) as arguments
    cross join lateral (
        select array_agg(
                   argument.key || case when kind.came <> kind.went
                                        then format(' (%%s to %%s)', kind.came, kind.went) else '' end
                   order by argument.key
               ) as names
        from jsonb_each(case jsonb_typeof(came) when 'object' then came else '{}' end) as argument
        cross join lateral (
            select jsonb_typeof(argument.value) as came, jsonb_typeof(went -> argument.key) as went
        ) as kind
        -- What stands for none may be filled in, and what was redacted is not known.
        where kind.came <> 'null' and arguments.went -> argument.key <> argument.value
          and strpos(concat(argument.value, arguments.went -> argument.key), '[REDACTED') = 0
    ) as changed
    where jsonb_typeof(went) = 'object' and changed.names is not null
    union all
    -- By the name that its prefix says: a relay has them of its settings, and they are often those of components.
    select texts.*, 'backend', request_in, request_out, array[meant.component, served.component, asked_tool]
    from texts
    join served on served.trace_id = texts.trace_id and served.parent_span_id = texts.span_id
    join known as meant
        on meant.name = lower(
            rtrim(left(texts.asked_tool, greatest(length(texts.asked_tool) - length(texts.tool), 0)), '_-./:')
        )
    where meant.name <> lower(served.component)
      and meant.component is distinct from texts.component
    union all
    select texts.*,
           case
               when came <> went and left(came, 4) = 'true' and left(went, 5) = 'false' then 'error'
               when came <> went and starts_with(came, went) then 'cut'
               when came <> went then 'answer'
               when came_data is not null and went_data is null then 'unstructured'
               else 'structured'
           end,
           answer_in, answer_out, null
    from (
        -- Most are passed on as they are, which is seen sooner than that their texts are equal.
        select *
        from texts
        where relayscope_store.said(answer_in) <> relayscope_store.said(answer_out)
        offset 0
    ) as texts
    cross join lateral (
        select relayscope_store.text_of_result(answer_in) as came,
               relayscope_store.text_of_result(answer_out) as went,
               nullif(relayscope_store.said(answer_in) #> '{result,structuredContent}', 'null') as came_data,
               nullif(relayscope_store.said(answer_out) #> '{result,structuredContent}', 'null') as went_data
        offset 0
    ) as results
    -- Data may be added to a text, and not the other way round.
    where came <> went or (came_data is not null and came_data is distinct from went_data)
)
select alike.*, relayscope_store.callee_of(trace_id, span_id) as callee
from (
    select component, what, names, count(*) as occasions,
           min(time) as first_time, max(time) as last_time,
           count(distinct tool) as tools, count(distinct peer) as peers,
           case count(distinct tool) when 1 then min(tool) end as tool,
           case count(distinct peer) when 1 then min(peer) end as peer,
           (array_agg(trace_id order by time desc))[1] as trace_id,
           (array_agg(span_id order by time desc))[1] as span_id,
           (array_agg(left(before, 2000) order by time desc))[1] as evidence,
           (array_agg(left(after, 2000) order by time desc))[1] as passed_on
    from change
    group by component, what, names
    order by count(*) desc, max(time) desc
    limit %(most)s
) as alike
