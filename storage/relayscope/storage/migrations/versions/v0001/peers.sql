-- What one peer, or component, sends and another does not.

-- What was said, by whom: a message is its peer's where it was received, and its component's where it was
-- sent; and on what occasion.
create view relayscope_store.heard as
select
    log.time,
    log.time_nano,
    log.peer,
    log.kind,
    log.method,
    case when log.kind in ('result', 'error') then 'answer' else 'unprompted' end as occasion,
    case log.direction when 'received' then log.peer else resource.component end as speaker,
    log.channel,
    log.sequence
from relayscope_store.every_log as log
left join relayscope_store.resource on resource.id = log.resource_id
where log.event_name = 'mcp.message' and log.direction in ('received', 'sent')
    and (log.odd is null or log.odd not in ('orphan_answer', 'answer_to_notification'))
union all
-- An answer without an id that fits says not what it answers: peers that send one mostly mean the
-- notification before it. It is looked for within a minute, and before whatever else was sent since.
-- Odd messages have severity WARN, by which an index finds them.
select
    log.time,
    log.time_nano,
    log.peer,
    log.kind,
    coalesce(before.method, log.method) as method,
    case when before.kind = 'notification' then 'answer_to_notification' else 'answer' end
        as occasion,
    case log.direction when 'received' then log.peer else resource.component end as speaker,
    log.channel,
    log.sequence
from relayscope_store.every_log as log
left join relayscope_store.resource on resource.id = log.resource_id
left join lateral (
    select asked.method, asked.kind
    from relayscope_store.every_log as asked
    where asked.time >= log.time - interval '1 minute' and asked.time <= log.time
        and asked.event_name = 'mcp.message' and asked.resource_id = log.resource_id
        and asked.channel = log.channel and asked.direction <> log.direction
        and asked.sequence < log.sequence and asked.kind in ('notification', 'request')
    order by asked.kind, asked.sequence desc
    limit 1
) as before on true
where log.event_name = 'mcp.message' and log.direction in ('received', 'sent')
    and log.severity_number >= 13 and log.odd in ('orphan_answer', 'answer_to_notification');

create function relayscope.compare_peers(
    method text,
    peer_a text,
    peer_b text,
    from_time timestamptz default now() - interval '7 days',
    to_time timestamptz default 'infinity'
) returns table (
    method text,
    occasion text,
    kind text,
    path text,
    "left" text,
    "right" text,
    difference text
)
language sql stable parallel safe
as $$
    -- Texts are looked up for the few that are compared: they are what makes records long.
    with newest as (
        select numbered.*, messages.body
        from (
            select
                heard.*,
                side.is_a,
                row_number() over (
                    partition by side.is_a, heard.method, heard.occasion, heard.kind
                    order by heard.time desc, heard.time_nano desc
                ) as position
            from relayscope_store.heard
            join (values (compare_peers.peer_a, true), (compare_peers.peer_b, false))
                as side (speaker, is_a) on side.speaker = heard.speaker
            where heard.time >= compare_peers.from_time and heard.time < compare_peers.to_time
                and (compare_peers.method is null or heard.method = compare_peers.method)
        ) as numbered
        cross join lateral (
            select messages.body
            from relayscope.messages
            where messages.time = numbered.time
                and messages.time_unix_nano % 1000 = numbered.time_nano
                and messages.peer is not distinct from numbered.peer
                and messages.channel is not distinct from numbered.channel
                and messages.sequence is not distinct from numbered.sequence
                and messages.kind = numbered.kind and messages.body is not null
            limit 1
        ) as messages
        where numbered.position <= 50
    ),
    node as (
        select
            newest.method,
            newest.occasion,
            newest.kind,
            newest.is_a,
            newest.position,
            regexp_replace(node.path, '\[[0-9]+\]', '[*]', 'g') as path,
            regexp_replace(node.parent, '\[[0-9]+\]', '[*]', 'g') as parent,
            replace(node.kind, 'json string', 'string') as type,
            node.value::text as value,
            case
                when node.kind in ('number', 'boolean', 'null', 'string') then node.value #>> '{}'
            end as scalar,
            to_json(node.members)::text as members
        from newest
        cross join lateral relayscope_store.json_nodes(
            relayscope_store.json_or_text(newest.body)
        ) as node
    ),
    -- What a side has at a path.
    fact as (
        select
            node.method,
            node.occasion,
            node.kind,
            node.is_a,
            node.path,
            min(node.parent) as parent,
            array_agg(distinct node.type) as types,
            array_agg(distinct node.scalar) filter (where node.scalar is not null) as scalars,
            (array_agg(node.value order by node.position))[1] as example,
            case when count(distinct node.members) = 1 then min(node.members) end::json as members
        from node
        group by node.method, node.occasion, node.kind, node.is_a, node.path
    ),
    pair as (
        select
            coalesce(a.method, b.method) as method,
            coalesce(a.occasion, b.occasion) as occasion,
            coalesce(a.kind, b.kind) as kind,
            coalesce(a.path, b.path) as path,
            a.example as a_example,
            b.example as b_example,
            a.types as a_types,
            b.types as b_types,
            a.scalars as a_scalars,
            b.scalars as b_scalars,
            array(
                select one.member
                from json_array_elements_text(a.members) with ordinality as one (member, position)
                join json_array_elements_text(b.members) as other (member) using (member)
                order by one.position
            ) as a_order,
            array(
                select one.member
                from json_array_elements_text(b.members) with ordinality as one (member, position)
                join json_array_elements_text(a.members) as other (member) using (member)
                order by one.position
            ) as b_order
        from (select * from fact where fact.is_a) as a
        full join (select * from fact where not fact.is_a) as b
            on b.method is not distinct from a.method and b.occasion = a.occasion
            and b.kind is not distinct from a.kind and b.path = a.path
        -- Below what only one side has, or has as another type, there is nothing to compare.
        where coalesce(a.parent, b.parent) is null or exists (
            select from fact as one
            join fact as other
                on other.method is not distinct from one.method and other.occasion = one.occasion
                and other.kind is not distinct from one.kind and other.path = one.path
                and other.types && one.types
            where one.is_a and not other.is_a
                and one.path = coalesce(a.parent, b.parent)
                and one.method is not distinct from coalesce(a.method, b.method)
                and one.occasion = coalesce(a.occasion, b.occasion)
                and one.kind is not distinct from coalesce(a.kind, b.kind)
        )
    )
    select
        pair.method,
        pair.occasion,
        pair.kind,
        pair.path,
        case difference.kind
            when 'order' then to_json(pair.a_order)::text
            else coalesce(own.a_value, pair.a_example)
        end,
        case difference.kind
            when 'order' then to_json(pair.b_order)::text
            else coalesce(own.b_value, pair.b_example)
        end,
        difference.kind
    from pair
    cross join lateral (
        select case
            when pair.b_types is null then 'only_left'
            when pair.a_types is null then 'only_right'
            when pair.a_types <> pair.b_types then 'type'
            when pair.a_order <> pair.b_order then 'order'
            -- An id is the asker's choice; texts that differ from message to message say nothing.
            when pair.path <> '$.id' and pair.a_scalars <> pair.b_scalars
                and cardinality(pair.a_scalars) <= 3 and cardinality(pair.b_scalars) <= 3 then 'value'
        end as kind
    ) as difference
    -- The newest that the other side has not: the newest of all may be equal on both.
    left join lateral (
        select
            (array_agg(node.value order by node.position) filter (where node.is_a))[1] as a_value,
            (array_agg(node.value order by node.position) filter (where not node.is_a))[1]
                as b_value
        from node
        where node.method is not distinct from pair.method and node.occasion = pair.occasion
            and node.kind is not distinct from pair.kind and node.path = pair.path
            and case difference.kind
                when 'type'
                    then node.type <> all(case when node.is_a then pair.b_types else pair.a_types end)
                when 'value'
                    then node.scalar
                        <> all(case when node.is_a then pair.b_scalars else pair.a_scalars end)
            end
    ) as own on true
    where difference.kind is not null
    order by pair.method, pair.occasion, pair.kind, pair.path, difference.kind
$$;
