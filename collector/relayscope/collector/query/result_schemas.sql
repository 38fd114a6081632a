-- A statement of what is wrong, as problems.sql has them.

-- results_unlike_schema --
-- Results of tools that are unlike the outputSchema in the list of who answered: clients refuse them. Only what
-- is certain without a validator: `structuredContent` is absent, or lacks a member that is required, or a member
-- of it has another type. By the newest lists and the newest results; a tool whose schema has changed between
-- these lists is left out. Where nobody lists a schema, nothing else is read.
with asked as materialized (
    select trace_id, span_id, component, side, peer
    from (
        -- Who connects comes from another port each time.
        select trace_id, span_id, component, kind as side, start_time,
               case kind when 'client' then peer end as peer,
               row_number() over (
                   partition by component, kind, case kind when 'client' then peer end
                   order by start_time desc
               ) as number
        from relayscope.spans
        where start_time >= %(since)s and start_time < %(until)s
          and kind in ('client', 'server') and method = 'tools/list'
    ) as spans
    where number <= 10
    order by start_time desc
    limit 100
),
list as materialized (
    select trace_id, span_id, relayscope_store.said(body) as said
    from (
        select trace_id, span_id, body
        from relayscope.messages
        where trace_id = any(array(select distinct asked.trace_id from asked))
          and span_id = any(array(select asked.span_id from asked))
          and kind = 'result' and method = 'tools/list'
        offset 0
    ) as text
    where strpos(body, '"outputSchema"') > 0
),
schema as materialized (
    select asked.component, asked.side, asked.peer, left(listed.tool ->> 'name', 128) as tool,
           min((listed.tool -> 'outputSchema')::text)::jsonb as schema
    from list
    join asked on asked.trace_id = list.trace_id and asked.span_id = list.span_id
    cross join lateral jsonb_path_query(
        list.said, 'lax $.result.tools[*] ? (@.outputSchema.type == "object")'
    ) as listed (tool)
    group by 1, 2, 3, 4
    having count(distinct listed.tool -> 'outputSchema') = 1
),
called as materialized (
    select trace_id, span_id, parent_span_id, component, kind as side, tool, start_time as time,
           case kind when 'client' then peer end as peer
    from relayscope.spans
    where exists (select from schema)
      and start_time >= %(since)s and start_time < %(until)s
      and kind in ('client', 'server') and method = 'tools/call'
      and status <> 'error' and error_type is null
      and tool = any(array(select schema.tool from schema))
    order by start_time desc
    limit 200
),
answer as materialized (
    select trace_id, span_id, message_id, body, relayscope_store.said(body) -> 'result' as result
    from (
        select trace_id, span_id, message_id, body
        from relayscope.messages
        where trace_id = any(array(select distinct called.trace_id from called))
          and span_id = any(array(select called.span_id from called))
          and kind = 'result' and method = 'tools/call' and odd is null
        -- Here, where each text has been read: reading it once more costs as much again.
        offset 0
    ) as text
    where octet_length(body) < 20000
),
compared as (
    select called.*, answer.message_id, answer.body, is_absent,
           case when not is_absent then lacking.names end as lacking,
           case when not is_absent then other.names end as others
    from called
    join schema
        on schema.component = called.component and schema.side = called.side and schema.tool = called.tool
        and schema.peer is not distinct from called.peer
    join answer on answer.trace_id = called.trace_id and answer.span_id = called.span_id
    cross join lateral (
        select answer.result -> 'structuredContent' as data,
               coalesce(answer.result -> 'structuredContent', 'null') = 'null' as is_absent
    ) as given
    cross join lateral (
        select array_agg(member.name order by member.name) as names
        from jsonb_path_query(schema.schema, 'lax $.required[*] ? (@.type() == "string")') as required (name)
        cross join lateral (select required.name #>> '{}' as name) as member
        where not given.data ? member.name
    ) as lacking
    cross join lateral (
        select array_agg(
                   format('%%s as %%s and not %%s', member.key, kind.given, array_to_string(kind.wanted, ' or '))
                   order by member.key
               ) as names
        from jsonb_each(case jsonb_typeof(given.data) when 'object' then given.data else '{}' end) as member
        cross join lateral (
            select jsonb_typeof(member.value) as given,
                   array(
                       select type #>> '{}'
                       from jsonb_path_query(
                           schema.schema -> 'properties' -> member.key,
                           'lax $.type[*] ? (@.type() == "string")'
                       ) as type
                   ) as wanted
        ) as kind
        where cardinality(kind.wanted) > 0
          and kind.given <> all(kind.wanted)
          and not (
              kind.given = 'number' and 'integer' = any(kind.wanted)
              and member.value::numeric = trunc(member.value::numeric)
          )
          -- What was redacted is a text, whatever it was.
          and strpos(member.value::text, '[REDACTED') = 0
    ) as other
    -- What asks for more first, or is a task, has no content; an error needs none that fits.
    where jsonb_typeof(answer.result -> 'content') = 'array'
      and coalesce(answer.result -> 'isError', 'false') <> 'true'
),
unlike as materialized (
    select *
    from compared
    where is_absent or lacking is not null or others is not null
),
around as materialized (
    select trace_id, span_id, parent_span_id, kind
    from relayscope.spans
    where trace_id = any(array(select distinct unlike.trace_id from unlike)) and method = 'tools/call'
)
select alike.*, relayscope_store.callee_of(trace_id, span_id) as callee
from (
    select component, side, peer, 'tools/call' as method, tool, is_absent, lacking, others,
           count(*) as occasions, min(time) as first_time, max(time) as last_time,
           (array_agg(trace_id order by time desc))[1] as trace_id,
           (array_agg(span_id order by time desc))[1] as span_id,
           (array_agg(message_id order by time desc))[1] as message_id,
           (array_agg(left(body, 2000) order by time desc))[1] as evidence
    from unlike
    -- Who passes on what it was given is not told, and who has answered only where nobody has recorded the call.
    where case side
              when 'client' then not exists (
                  select
                  from around as served
                  join unlike as below
                      on below.trace_id = served.trace_id and below.parent_span_id = served.span_id
                  where served.trace_id = unlike.trace_id and served.parent_span_id = unlike.span_id
                    and served.kind = 'server' and below.side = 'client'
              )
              else not exists (
                  select
                  from around as made
                  where made.trace_id = unlike.trace_id and made.span_id = unlike.parent_span_id
                    and made.kind = 'client'
              )
          end
    group by component, side, peer, tool, is_absent, lacking, others
    order by count(*) desc, max(time) desc
    limit %(most)s
) as alike
