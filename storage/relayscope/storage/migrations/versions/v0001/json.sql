-- Texts as JSON, and in what two of them differ.

-- JSON that cannot be read, is too deep, or holds what jsonb cannot, is null.
create function relayscope_store.json_or_null(text text) returns jsonb
language plpgsql immutable strict parallel safe
as $$
begin
    return text::jsonb;
exception
    when data_exception or program_limit_exceeded or statement_too_complex then return null;
end
$$;

-- What a message says beyond its envelope: parameters without the trace context, result or error.
create function relayscope_store.said(text text) returns jsonb
language sql immutable strict parallel safe
as $$
    select case
        when jsonb_typeof(message) <> 'object' then message
        when message ? 'method' and jsonb_typeof(message -> 'params') = 'object'
            then (message -> 'params') - '_meta'::text
        when message ? 'method' then coalesce(nullif(message -> 'params', 'null'), '{}')
        else message - '{jsonrpc,id}'::text []
    end
    from relayscope_store.json_or_null(text) as message
$$;

-- The arguments in a request: none, null and an empty object say the same.
create function relayscope_store.arguments_of(text text) returns jsonb
language sql immutable strict parallel safe
as $$
    select case jsonb_typeof(said) when 'object' then coalesce(nullif(said -> 'arguments', 'null'), '{}') end
    from relayscope_store.said(text) as said
$$;

-- The text in a tool's result without white space, and whether it is an error, so that what was only put
-- in another form is equal; null where the message is no such result.
create function relayscope_store.text_of_result(text text) returns text
language sql immutable strict parallel safe
as $$
    select coalesce(nullif(said #> '{result,isError}', 'null'), 'false')::text || regexp_replace(
        (
            select string_agg(piece ->> 'text', '' order by place)
            from jsonb_array_elements(said #> '{result,content}') with ordinality as one (piece, place)
        ),
        '\s', '', 'g'
    )
    from relayscope_store.said(text) as said
    where jsonb_typeof(said #> '{result,content}') = 'array'
$$;

-- A text as JSON with the order of its members; text that is no JSON is a string.
create function relayscope_store.json_or_text(text text) returns json
language sql immutable strict parallel safe
return case
    when relayscope_store.json_or_null(text) is null then to_json(text)
    else text::json
end;

-- What a string holds if that is a JSON object or list.
create function relayscope_store.embedded_json(value json) returns json
language sql immutable strict parallel safe
return case
    when json_typeof(value) = 'string' and value #>> '{}' ~ '^\s*[\[{]'
        and relayscope_store.json_or_null(value #>> '{}') is not null
        then (value #>> '{}')::json
end;

-- All nodes of a JSON document. Strings that hold an object or a list are looked into, too. Deeper
-- than 64 levels a node is compared as a whole.
create function relayscope_store.json_nodes(document json) returns table (
    path text,
    parent text,
    -- Which of several members of one name.
    occurrence bigint,
    kind text,
    value json,
    -- The names of an object's members, in their order.
    members text []
)
language sql immutable parallel safe
as $$
    with recursive node (path, parent, value, depth) as (
        select '$', null::text, document, 0
        union all
        select child.path, node.path, child.value, node.depth + 1
        from node
        cross join lateral (
            select
                node.path || case
                    when member.key ~ '^[A-Za-z_][A-Za-z0-9_]*$' then '.' || member.key
                    else '.' || to_json(member.key)::text
                end as path,
                member.value
            from json_each(
                case when json_typeof(node.value) = 'object' then node.value end
            ) as member
            union all
            select format('%s[%s]', node.path, element.ordinality - 1), element.value
            from json_array_elements(
                case when json_typeof(node.value) = 'array' then node.value end
            ) with ordinality as element (value, ordinality)
            union all
            select node.path || '::json', embedded.value
            from (select relayscope_store.embedded_json(node.value) as value) as embedded
            where embedded.value is not null
        ) as child
        where node.depth < 64
    )
    select
        node.path,
        node.parent,
        row_number() over (partition by node.path),
        case
            when node.depth = 64 then 'deep'
            when relayscope_store.embedded_json(node.value) is not null then 'json string'
            else json_typeof(node.value)
        end,
        node.value,
        case
            when json_typeof(node.value) = 'object'
                then array(select json_object_keys(node.value))
        end
    from node
$$;

create function relayscope.message_diff(a text, b text) returns table (
    path text, "left" text, "right" text, difference text
)
language sql immutable parallel safe
as $$
    with a_node as (
        select * from relayscope_store.json_nodes(relayscope_store.json_or_text(message_diff.a))
    ),
    b_node as (
        select * from relayscope_store.json_nodes(relayscope_store.json_or_text(message_diff.b))
    ),
    -- Paths of one kind on both sides: only what hangs on such a one is compared.
    common as (
        select a_node.path
        from a_node
        join b_node on b_node.path = a_node.path and b_node.occurrence = a_node.occurrence
        where a_node.kind = b_node.kind and a_node.occurrence = 1
    ),
    pair as (
        select
            coalesce(a_node.path, b_node.path) as path,
            a_node.value as a_value,
            b_node.value as b_value,
            a_node.kind as a_kind,
            b_node.kind as b_kind,
            array(
                select member
                from unnest(a_node.members) with ordinality as one (member, position)
                where member = any(b_node.members)
                order by position
            ) as a_order,
            array(
                select member
                from unnest(b_node.members) with ordinality as one (member, position)
                where member = any(a_node.members)
                order by position
            ) as b_order
        from a_node
        full join b_node on b_node.path = a_node.path and b_node.occurrence = a_node.occurrence
        where coalesce(a_node.parent, b_node.parent) is null
            or coalesce(a_node.parent, b_node.parent) in (select common.path from common)
    )
    select
        pair.path,
        case difference.kind
            when 'order' then to_json(pair.a_order)::text
            else pair.a_value::text
        end,
        case difference.kind
            when 'order' then to_json(pair.b_order)::text
            else pair.b_value::text
        end,
        difference.kind
    from pair
    cross join lateral (
        select case
            when pair.b_kind is null then 'only_left'
            when pair.a_kind is null then 'only_right'
            when replace(pair.a_kind, 'json string', 'string')
                <> replace(pair.b_kind, 'json string', 'string') then 'type'
            when pair.a_kind = 'object' and pair.a_order <> pair.b_order then 'order'
            when pair.a_kind in ('object', 'array') then null
            when pair.a_kind = 'json string' and pair.b_kind = 'json string' then null
            when pair.a_value #>> '{}' <> pair.b_value #>> '{}' then 'value'
        end as kind
    ) as difference
    where difference.kind is not null
    order by pair.path, difference.kind
$$;
