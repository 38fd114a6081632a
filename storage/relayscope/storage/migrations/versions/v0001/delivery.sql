-- Which records are there, and which are missing.

-- Log records by their attributes alone: a chunk is taken apart once, and not once for each of its records,
-- which costs twenty times as much where all are read. Its chunk is of `first_time` to `last_time`: a
-- condition on these leaves others out.
create view relayscope_store.unpacked_log as
select
    log.time as first_time, log.time as last_time, log.time, log.event_name, log.resource_id,
    log.attributes
from relayscope_store.log
union all
select c.first_time, c.last_time, r.time, s.event_name, r.resource_id, part.attributes
from relayscope_store.log_chunk as c
cross join lateral jsonb_array_elements(c.attributes) with ordinality as part (attributes, position)
inner join relayscope_store.log_sealed as r
    on r.segment = c.segment and r.place = c.chunk * 256 + part.position - 1
inner join relayscope_store.log_shape as s on s.id = r.shape;

create view relayscope_store.numbered_span as
select
    span.start_time as stored_time,
    span.end_time as time,
    span.resource_id,
    relayscope_store.delivery_sequence_of(span.attributes) as sequence
from relayscope_store.every_span as span
where span.attributes ? 'relayscope.delivery.sequence';

-- What is numbered: the messages of a channel; and everything that a process has sent, in the order in
-- which it did: a span when it ended. `stored_time` is what picks the partitions. What a process says of
-- its numbers is a row without one: it knows of those after the last that has come.
create view relayscope_store.numbered as
select
    log.first_time,
    log.last_time,
    log.time as stored_time,
    log.time,
    log.resource_id,
    one.channel,
    one.peer,
    one.sequence,
    one.emitted,
    one.acknowledged
from relayscope_store.unpacked_log as log
-- Of each record, which is taken out of its chunk once.
cross join lateral (
    select
        relayscope_store.channel_of(log.attributes) as channel,
        relayscope_store.peer_of(log.attributes) as peer,
        relayscope_store.sequence_of(log.attributes) as sequence,
        null::bigint as emitted,
        null::bigint as acknowledged
    where log.event_name = 'mcp.message' and relayscope_store.channel_of(log.attributes) is not null
    union all
    select null, null, relayscope_store.delivery_sequence_of(log.attributes), null, null
    where log.attributes ? 'relayscope.delivery.sequence'
    union all
    select
        null, null, null,
        relayscope_store.emitted_of(log.attributes),
        relayscope_store.acknowledged_of(log.attributes)
    where log.event_name = 'relayscope.delivery'
) as one
where one.sequence is not null or one.emitted is not null
union all
select
    span.stored_time as first_time,
    span.time as last_time,
    span.stored_time,
    span.time,
    span.resource_id,
    null as channel,
    null as peer,
    span.sequence,
    null as emitted,
    null as acknowledged
from relayscope_store.numbered_span as span
where span.sequence is not null;

-- Processes that have said that they emit nothing more: only then is it known which number was the last.
-- Indexes find what few records say so, among all that are stored.
create view relayscope_store.ended_process as
select distinct process.name
from (
    select log.resource_id
    from relayscope_store.log
    where log.event_name = 'relayscope.delivery' and log.attributes ? 'relayscope.delivery.ended'
    union all
    select log.resource_id
    from relayscope_store.log_shape as s
    inner join relayscope_store.log_sealed as log on log.shape = s.id
    where s.event_name = 'relayscope.delivery' and s.ended
) as last_word
join relayscope_store.process on process.id = last_word.resource_id;

create function relayscope.delivery(
    from_time timestamptz default '-infinity', to_time timestamptz default 'infinity'
) returns table (
    component text,
    process text,
    channel text,
    peer text,
    first_sequence bigint,
    last_sequence bigint,
    stored bigint,
    missing bigint,
    first_time timestamptz,
    last_time timestamptz,
    unknown_since timestamptz
)
language sql stable parallel safe
as $$
    select
        process.component,
        process.name,
        total.channel,
        total.peer,
        total.first_sequence,
        total.last_sequence,
        total.stored,
        total.last_sequence - total.first_sequence + 1 - total.stored,
        total.first_time,
        total.last_time,
        case when ended.name is null then total.last_time end
    from (
        select
            one.resource_id,
            one.channel,
            max(one.peer) as peer,
            -- Where nothing has come, what has been taken before is not of this time.
            coalesce(min(one.sequence), coalesce(max(one.acknowledged), 0) + 1) as first_sequence,
            greatest(max(one.sequence), max(one.emitted)) as last_sequence,
            count(one.sequence) as stored,
            min(one.first_time) as first_time,
            max(one.last_time) as last_time
        from (
            -- A number that is stored twice counts once.
            select
                numbered.resource_id,
                numbered.channel,
                numbered.sequence,
                max(numbered.emitted) as emitted,
                max(numbered.acknowledged) as acknowledged,
                max(numbered.peer) as peer,
                min(numbered.time) as first_time,
                max(numbered.time) as last_time
            from relayscope_store.numbered
            where numbered.time >= from_time and numbered.time < to_time
                -- Spans of more than a day, at the edge of the time, count as missing.
                and numbered.stored_time >= from_time - interval '1 day'
                and numbered.stored_time < to_time
                and numbered.last_time >= from_time
                and numbered.first_time < to_time
            group by numbered.resource_id, numbered.channel, numbered.sequence
        ) as one
        group by one.resource_id, one.channel
        having min(one.sequence) is not null or max(one.emitted) > coalesce(max(one.acknowledged), 0)
    ) as total
    join relayscope_store.process on process.id = total.resource_id
    left join relayscope_store.ended_process as ended on ended.name = process.name
$$;

create view relayscope.delivery as select * from relayscope.delivery();
