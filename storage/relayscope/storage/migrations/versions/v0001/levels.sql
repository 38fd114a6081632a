-- Levels that are set from outside: rules, and the processes that ask for them.

-- Who asked for which level, of which messages of which components. A rule is never deleted while it
-- holds: what became of it is part of the row.
create table relayscope_store.level_rule (
    id uuid primary key,
    component text not null,
    level text not null,
    peer text not null,
    method text not null,
    target text not null,
    direction text not null,
    host_logs boolean not null,
    set_at timestamptz not null default now(),
    set_by text not null,
    until timestamptz,
    ended_at timestamptz,
    ended_by text,
    -- `reset` or `replaced`; a rule that has come to its time has not ended otherwise.
    ending text
);

create index level_rule_in_force on relayscope_store.level_rule (set_at) where ended_at is null;

create view relayscope_store.level_in_force as
select * from relayscope_store.level_rule
where ended_at is null and (until is null or until > now());

-- What processes said when they last asked.
create table relayscope_store.level_agent (
    uid bytea primary key,
    component text not null,
    process text not null,
    pid bigint,
    version text not null,
    -- What it records now, in its own words; null if it has not said.
    effective json,
    -- Of the rules that it has been given, what became of them, and since when.
    hash bytea not null,
    status smallint not null,
    message text not null,
    since timestamptz not null default now(),
    first_seen timestamptz not null default now(),
    last_seen timestamptz not null default now(),
    ended boolean not null
);

create index level_agent_last_seen on relayscope_store.level_agent (last_seen);

create view relayscope.level_changes as
select
    set_at as time,
    'set' as change,
    component,
    level,
    peer,
    method,
    target as tool,
    nullif(direction, '') as direction,
    host_logs,
    until,
    until - set_at as duration,
    set_by as by
from relayscope_store.level_rule
union all
select
    coalesce(ended_at, until),
    coalesce(ending, 'expired'),
    component,
    level,
    peer,
    method,
    target,
    nullif(direction, ''),
    host_logs,
    until,
    coalesce(ended_at, until) - set_at,
    coalesce(ended_by, set_by)
from relayscope_store.level_rule
where ended_at is not null or until <= now();

-- Processes whose forwarder asks for levels: they run, though they may have nothing to say. By default
-- they ask every 2 s, by OpAMP's every 30 s, and one question may be lost.
create view relayscope_store.asking_process as
select level_agent.process as name
from relayscope_store.level_agent
where not level_agent.ended and level_agent.last_seen > now() - interval '75 seconds';

-- Which processes have sent records lately, for those who may not read these; `ended` if their last word
-- is among them.
create function relayscope_store.heard_lately() returns table (
    component text, process text, last_time timestamptz, ended boolean, lately boolean
)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        process.component, process.name, max(heard.time), bool_or(heard.ended),
        max(heard.time) > now() - interval '10 minutes'
    from (
        select * from (
            select
                log.resource_id, log.time,
                log.event_name = 'relayscope.delivery'
                and relayscope_store.ended_of(log.attributes) as ended
            from relayscope_store.log
            where log.time > now() - interval '10 minutes'
            order by log.time desc limit 20000
        ) as logs
        union all
        select * from (
            select span.resource_id, span.start_time, false from relayscope_store.span
            where span.start_time > now() - interval '10 minutes'
            order by span.start_time desc limit 20000
        ) as spans
        union all
        select * from (
            select log.resource_id, log.time, true
            from relayscope_store.log
            where log.event_name = 'relayscope.delivery'
                and log.attributes ? 'relayscope.delivery.ended'
                and relayscope_store.ended_of(log.attributes)
                -- A little longer than it is remembered who has asked for levels.
                and log.time > now() - interval '70 minutes'
            limit 20000
        ) as last_words
    ) as heard
    join relayscope_store.process on process.id = heard.resource_id
    group by process.component, process.name
$$;

revoke execute on function relayscope_store.heard_lately from public;
