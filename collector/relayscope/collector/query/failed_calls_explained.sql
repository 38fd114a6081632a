-- The statements of what else is known of calls that went wrong: in the form of queries.sql. Each is about
-- some rows of failed_calls, as JSON with their places among these rows. They are statements of their own
-- because most calls that went wrong need none of them: to plan them took longer than to find all such calls.

-- calls_without_answer --
-- What transports, callers and connections say of calls that got no answer.
with alike as materialized (
    select *
    from jsonb_to_recordset(%(calls)s::jsonb) as alike (
        place integer, trace_id uuid, span_id text, component text, outcome text, error_type text,
        odd text, said text, seconds double precision, side text, peer text, callee text, last_time timestamptz
    )
),
-- What processes say of their channels, which is little beside messages.
closed as materialized (
    select time, component, severity_number, attributes, attributes ->> 'relayscope.channel.id' as channel
    from relayscope.other_logs
    where time >= %(since)s and event_name = 'relayscope.channel.closed'
)
select alike.place, coalesce(why.body, above.body) as evidence, closing.attributes as closing,
       unread.by_component as unread_by
from alike
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
    select closed.attributes
    from relayscope.messages as carried
    join closed
        on closed.channel = carried.channel
        and closed.component is not distinct from carried.component
    where (alike.outcome = 'transport_error' or alike.error_type = 'relayscope.answered_above'
           or coalesce(alike.error_type, 'relayscope.unanswered') = 'relayscope.unanswered')
      and alike.odd is null
      and carried.trace_id = alike.trace_id and carried.kind = 'request'
      and (carried.span_id = alike.span_id or md5(carried.body) = alike.said)
      and closed.time >= carried.time
      -- Nobody knows how long one is open whose process has died.
      and (alike.seconds is null
           or closed.time < carried.time + make_interval(secs => alike.seconds)
               -- Who has given up the wait closes in the end, too: that is not why there was no answer.
               + case alike.error_type
                     when 'relayscope.answered_above' then interval '100 ms' else interval '5 seconds'
                 end)
    -- Who has seen no close frame knows less than the other end.
    order by closed.severity_number >= 13 desc,
             coalesce(closed.attributes ->> 'relayscope.channel.close_code' = '1006', false), closed.time
    limit 1
) as closing on true
-- Who has answered the caller at that address shortly before, and has no record of this call, may not have
-- read it: `failed_calls` tells a request that was read by who has read it. Of a few spans: it is looked for
-- with each call, and there are very many in the minutes before where much is called.
left join lateral (
    select relayscope_store.callee_of(before.trace_id, before.span_id) as by_component
    from (
        select trace_id, span_id, component, kind, peer, error_type, attributes, start_time
        from relayscope.spans
        where alike.side = 'client' and alike.outcome = 'unanswered' and alike.odd is null
          and alike.callee is null
          and alike.error_type in ('relayscope.answered_above', 'relayscope.stopped_reading')
          and spans.start_time >= alike.last_time - interval '10 minutes'
          and spans.start_time < alike.last_time
        order by spans.start_time desc
        limit 500
    ) as before
    where before.component = alike.component and before.kind = 'client' and before.peer = alike.peer
      and before.error_type is null and before.attributes ? 'jsonrpc.request.id'
    order by before.start_time desc
    limit 1
) as unread on not exists (
    -- Who was killed after it had read it has no span of it, but its message.
    select from relayscope.messages
    where messages.trace_id = alike.trace_id and messages.component = unread.by_component
      and messages.direction = 'received'
)

-- tools_listed --
-- What those had listed who did not know a tool. By the calls for it, of which there are far less than
-- messages; of each the newest `pages`, so that a list without an end is not in the way of the others.
with alike as materialized (
    select *
    from jsonb_to_recordset(%(calls)s::jsonb) as alike (place integer, component text, side text, peer text)
),
listed as materialized (
    select trace_id, span_id, component, kind, peer, time
    from (
        select trace_id, span_id, component, kind, peer, time,
               row_number() over (partition by component, kind, peer order by time desc) as number
        from (
            select trace_id, span_id, component, kind, start_time as time,
                   -- As in `failed_calls`.
                   case when kind = 'client' or peer = 'memory' then peer end as peer
            from relayscope.spans
            where start_time >= %(since)s and start_time < %(until)s
              and kind in ('client', 'server') and method = 'tools/list'
        ) as every
        where exists (
            select from alike
            where alike.component = every.component and alike.side = every.kind
              and alike.peer is not distinct from every.peer
        )
    ) as asked
    where number <= %(pages)s
    order by time desc
    limit 1000
),
-- At once: looked up for each call, all messages of a trace would be read as often as it asks for lists.
said as materialized (
    select trace_id, span_id, jsonb_path_query_array(json, 'lax $.result.tools[*].name') as names,
           json #> '{result,nextCursor}' is not null as has_more
    from relayscope.messages
    where trace_id = any(array(select distinct listed.trace_id from listed))
      and span_id = any(array(select listed.span_id from listed))
      and kind = 'result' and method = 'tools/list'
),
listing as materialized (
    select listed.component, listed.kind, listed.peer, listed.time, said.names, said.has_more
    from listed
    join said on said.trace_id = listed.trace_id and said.span_id = listed.span_id
)
select alike.place,
       jsonb_agg(
           jsonb_build_object('names', listing.names, 'has_more', listing.has_more)
           order by listing.time desc
       ) as lists
from alike
join listing on listing.component = alike.component and listing.kind = alike.side
where listing.peer is not distinct from alike.peer
group by alike.place

-- answers_below --
-- What those who failed had got last for the same request: an answer that they could not use, maybe; or a
-- connection that they did not get.
with alike as materialized (
    select *
    from jsonb_to_recordset(%(calls)s::jsonb) as alike (place integer, trace_id uuid, span_id text)
),
made as materialized (
    select distinct on (alike.place) alike.place, spans.trace_id, spans.span_id, spans.peer, spans.tool,
           spans.method, spans.start_time
    from alike
    join relayscope.spans on spans.trace_id = alike.trace_id and spans.parent_span_id = alike.span_id
    where spans.kind = 'client' and spans.attributes ? 'jsonrpc.request.id'
      and spans.status <> 'error' and spans.error_type is null
    order by alike.place, spans.start_time desc
),
said as materialized (
    select trace_id, span_id, left(body, 2000) as body
    from relayscope.messages
    where trace_id = any(array(select made.trace_id from made))
      and span_id = any(array(select made.span_id from made))
      and kind = 'result'
)
select distinct on (alike.place) alike.place, said.body as answer,
       coalesce(made.tool, made.method) as answered,
       coalesce(relayscope_store.callee_of(made.trace_id, made.span_id), made.peer) as answered_by,
       unconnected.error_type as unconnected_for, unconnected.peer as unconnected_to,
       unconnected.attributes ->> 'network.transport' is not distinct from 'pipe' as is_child,
       unconnected.is_below
from alike
left join made on made.place = alike.place
left join said on said.trace_id = made.trace_id and said.span_id = made.span_id
left join lateral (
    select own.component, own.start_time, own.start_time + own.duration as end_time
    from relayscope.spans as own
    where own.trace_id = alike.trace_id and own.span_id = alike.span_id
    limit 1
) as its_call on true
left join lateral (
    (
        select spans.peer, spans.error_type, spans.attributes, true as is_below
        from relayscope.spans
        where spans.trace_id = alike.trace_id and spans.parent_span_id = alike.span_id
          and spans.kind = 'client' and spans.error_type is not null
          and not spans.attributes ? 'jsonrpc.request.id'
          -- One address may be refused, and the next one answer.
          and spans.start_time > coalesce(made.start_time, '-infinity')
        order by spans.start_time desc
        limit 1
    )
    union all
    -- Who reads in one thread and connects in another does not say what for.
    (
        select spans.peer, spans.error_type, spans.attributes, false
        from relayscope.spans
        where made.start_time is null and its_call.end_time - its_call.start_time < interval '1 minute'
          and spans.start_time >= its_call.start_time and spans.start_time <= its_call.end_time
          and spans.component = its_call.component and spans.parent_span_id is null
          and spans.kind = 'client' and spans.error_type is not null
          and not spans.attributes ? 'jsonrpc.request.id'
        order by spans.start_time desc
        limit 1
    )
    limit 1
) as unconnected on true
where said.body is not null or unconnected.error_type is not null
order by alike.place
