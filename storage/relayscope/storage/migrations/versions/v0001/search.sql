-- Finding records by their text and their attributes, sealed or not.

-- Text to look for, as a pattern of LIKE, which trigram indexes know.
create function relayscope_store.holding(text text) returns text
language sql immutable strict parallel safe
return '%' || replace(replace(replace(text, '\', '\\'), '%', '\%'), '_', '\_') || '%';

-- A type, so that a column can be added without dropping the functions that return it.
create type relayscope_store.found_log as (
    "time" timestamptz,
    time_unix_nano numeric,
    trace_id uuid,
    span_id text,
    component text,
    event_name text,
    severity_number smallint,
    body text,
    attributes jsonb,
    severity_text text
);

-- The newest records that hold a text, or have attributes, or both. From the newest back, in ever longer
-- stretches of time: what is common is found in the first, and what is rare by the index in all.
create function relayscope_store.newest(
    text text,
    having_attributes jsonb,
    from_time timestamptz,
    to_time timestamptz,
    of_component text,
    of_peer text,
    of_method text,
    of_tool text,
    most integer
) returns setof relayscope_store.found_log
language plpgsql stable
-- Readers may read no table; what they give are values, never names.
security definer
set search_path = pg_catalog, relayscope_store, pg_temp
-- A plan for these values: the text decides whether its index is worth it.
set plan_cache_mode = force_custom_plan
set jit = off
as $$
declare
    pattern constant text := relayscope_store.holding(text);
    looked_up constant jsonb :=
        nullif(having_attributes - relayscope_store.unindexed_attributes(), '{}');
    width interval := '5 minutes';
    upper_time timestamptz := to_time;
    lower_time timestamptz := greatest(from_time, least(to_time, now()) - width);
    segments integer [];
    found_now integer;
    still integer := most;
begin
    loop
        -- Chunks are not partitioned by time: this prunes them.
        segments := array(
            select segment.id from relayscope_store.segment
            where segment.signal = 'log' and segment.state = 'sealed'
                and segment.from_time < upper_time and segment.to_time > lower_time
        );
        return query
        -- All of a chunk is taken apart once, and before its records are looked up.
        with hit as materialized (
            select
                c.segment, c.chunk * 256 + part.position - 1 as place, c.first_time, c.last_time,
                coalesce(part.body, part.body_json::text) as body, part.attributes,
                c.span_id[part.position] as span_id,
                c.severity_text[part.position] as severity_text
            from relayscope_store.log_chunk as c
            cross join lateral rows from (
                jsonb_array_elements(c.attributes), unnest(c.body), unnest(c.body_json)
            ) with ordinality as part (attributes, body, body_json, position)
            where c.segment = any(segments)
                and c.last_time >= lower_time and c.first_time < upper_time
                and (pattern is null or relayscope_store.texts(c.body, c.body_json) like pattern)
                and (
                    looked_up is null
                    or relayscope_store.findable(c.attributes) @> jsonb_build_array(looked_up)
                )
                and (pattern is null or coalesce(part.body, part.body_json::text) like pattern)
                and (having_attributes is null or part.attributes @> having_attributes)
        ),
        record as (
            select
                log.time, log.time_nano, log.trace_id, log.span_id, log.event_name,
                log.severity_number, log.severity_text,
                coalesce(log.body, log.body_json::text) as body,
                log.attributes, log.resource_id,
                relayscope_store.peer_of(log.attributes) as peer,
                relayscope_store.method_of(log.attributes) as method,
                relayscope_store.tool_of(log.attributes) as tool
            from relayscope_store.log
            where log.time >= lower_time and log.time < upper_time
                and (pattern is null or coalesce(log.body, log.body_json::text) like pattern)
                and (having_attributes is null or log.attributes @> having_attributes)
            union all
            select
                r.time, r.time_nano, r.trace_id, hit.span_id, s.event_name, r.severity_number,
                hit.severity_text, hit.body, hit.attributes, r.resource_id, s.peer, s.method, s.tool
            from hit
            -- One by one, by the index on time: the planner would rather read all rows for a join.
            cross join lateral (
                select sealed.*
                from relayscope_store.log_sealed as sealed
                where sealed.segment = hit.segment and sealed.place = hit.place
                    and sealed.time >= hit.first_time and sealed.time <= hit.last_time
                limit 1
            ) as r
            inner join relayscope_store.log_shape as s on s.id = r.shape
            where r.time >= lower_time and r.time < upper_time
        )
        select
            record.time,
            trunc(extract(epoch from record.time) * 1000000000) + record.time_nano,
            record.trace_id,
            encode(record.span_id, 'hex'),
            resource.component,
            record.event_name,
            record.severity_number,
            record.body,
            record.attributes,
            record.severity_text
        from record
        left join relayscope_store.resource on resource.id = record.resource_id
        where (of_component is null or resource.component = of_component)
            and (of_peer is null or record.peer = of_peer)
            and (of_method is null or record.method = of_method)
            and (of_tool is null or record.tool = of_tool)
        order by record.time desc, record.time_nano desc
        limit still;
        get diagnostics found_now = row_count;
        still := still - found_now;
        exit when still <= 0 or lower_time <= from_time;
        upper_time := lower_time;
        width := width * 2;
        lower_time := case
            -- The last one: whoever asks for all that is stored may mean 1970, too.
            when width > interval '400 days' then from_time
            else greatest(from_time, lower_time - width)
        end;
    end loop;
end
$$;

create function relayscope.search(
    text text,
    from_time timestamptz default now() - interval '7 days',
    to_time timestamptz default 'infinity',
    component text default null,
    peer text default null,
    method text default null,
    tool text default null,
    most integer default 1000
) returns setof relayscope_store.found_log
language sql stable parallel safe
as $$
    select * from relayscope_store.newest(
        search.text, null, search.from_time, search.to_time, search.component, search.peer,
        search.method, search.tool, search.most
    )
$$;

create function relayscope.logs_having(
    attributes jsonb,
    from_time timestamptz default now() - interval '7 days',
    to_time timestamptz default 'infinity',
    component text default null,
    most integer default 1000
) returns setof relayscope_store.found_log
language sql stable parallel safe
as $$
    select * from relayscope_store.newest(
        null, logs_having.attributes, logs_having.from_time, logs_having.to_time,
        logs_having.component, null, null, null, logs_having.most
    )
$$;
