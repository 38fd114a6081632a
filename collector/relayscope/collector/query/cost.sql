-- The statements of what servers cost a model's context, in the form of queries.sql. Each takes `since`
-- and `until`; `most` where it says so.

-- listed_tools --
-- The newest list of tools that each component got of each peer, of many pages the newest; its text, and
-- its `size` on the wire, which is more than that of a text that was cut.
-- Texts of sealed records cost far more to read than the rest: only those that are shown are looked up. Of
-- lists that are asked for without end, so many are gone through that those of others are found behind them.
with listed as materialized (
    select distinct on (component, peer) component, peer, time, time_unix_nano
    from (
        select component, peer, time, time_unix_nano
        from relayscope.messages
        where time >= %(since)s and time < %(until)s
          and kind = 'result' and method = 'tools/list' and direction = 'received'
        order by time desc
        limit 20000
    ) as newest
    order by component, peer, time_unix_nano desc
    limit 200
)
select listed.component, listed.peer, listed.time, said.trace_id, said.message_id, said.size,
       said.truncated, said.body as text
from listed
cross join lateral (
    select trace_id, message_id, size, truncated, body
    from relayscope.messages
    where messages.time = listed.time and messages.time_unix_nano = listed.time_unix_nano
      and kind = 'result' and method = 'tools/list' and direction = 'received'
      and messages.component is not distinct from listed.component
      and messages.peer is not distinct from listed.peer
    limit 1
) as said

-- called_tools --
-- What the results of tools came to, by who got them of whom: sizes are bytes on the wire.
select component, peer, tool, count(*) as results, sum(size)::bigint as bytes,
       max(size) as largest, (array_agg(trace_id order by size desc nulls last))[1] as trace_id,
       (array_agg(message_id order by size desc nulls last))[1] as message_id
from relayscope.messages
where time >= %(since)s and time < %(until)s
  and kind = 'result' and method = 'tools/call' and direction = 'received'
group by component, peer, tool
order by sum(size) desc nulls last, component, peer, tool
limit %(most)s

-- calls_of_tools --
-- How often tools were called, by whom of whom, also where no result came of it.
select component, peer, tool, count(*) as calls
from relayscope.spans
where start_time >= %(since)s and start_time < %(until)s
  and kind = 'client' and method = 'tools/call' and attributes ? 'jsonrpc.request.id'
group by component, peer, tool
order by count(*) desc
limit 10000

-- images_of_tools --
-- Images, also as resources, in the `largest` results of tools that have more than `least` bytes, by who got them of whom: how
-- many, the bytes that their base64 took on the wire, and their tokens, where their texts were recorded: one
-- for so many `pixels`, and `most_tokens` at most, which is taken where the pixels are not known. The marker
-- of an image that was not kept says how long it was, and its pixels. As in `listed_tools`, only these texts
-- are looked up.
with largest as materialized (
    select component, peer, tool, time, time_unix_nano, message_id
    from relayscope.messages
    where time >= %(since)s and time < %(until)s
      and kind = 'result' and method = 'tools/call' and direction = 'received' and size > %(least)s
    order by size desc
    limit %(largest)s
)
select largest.component, largest.peer, largest.tool, count(*) as images,
       sum(coalesce((said_of_it[1]::bigint + 2) / 3 * 4, octet_length(data)))::bigint as bytes,
       sum(
           -- The least of a number and null is the number.
           least(
               %(most_tokens)s::bigint,
               ceil(said_of_it[2]::numeric * said_of_it[3]::numeric / %(pixels)s)
           )
       )::bigint as tokens,
       count(said_of_it[2]) as measured
from largest
cross join lateral (
    select json
    from relayscope.messages
    where messages.time = largest.time and messages.time_unix_nano = largest.time_unix_nano
      and messages.message_id is not distinct from largest.message_id
    limit 1
) as said
cross join lateral (
    select content ->> 'data' as data
    from jsonb_path_query(said.json, '$.result.content[*] ? (@.type == "image")') as content
    union all
    select resource ->> 'blob'
    from jsonb_path_query(
        said.json,
        '$.result.content[*] ? (@.type == "resource").resource ? (@.mimeType starts with "image/")'
    ) as resource
) as image
cross join lateral regexp_match(
    data,
    '^\[BINARY:[^:]+:([0-9]{1,12}):[0-9a-f]{16}(?::([0-9]{1,5})x([0-9]{1,5}))?\]$'
) as said_of_it
where data is not null
group by largest.component, largest.peer, largest.tool

-- results_over_time --
-- Bytes of tools' results in each `step`, an interval, by who got them of whom.
select component, peer, date_bin(%(step)s, time, %(since)s) as time, sum(size)::bigint as bytes,
       count(*) as results
from relayscope.messages
where time >= %(since)s and time < %(until)s
  and kind = 'result' and method = 'tools/call' and direction = 'received'
group by 1, 2, 3
order by 3, 1, 2
