-- The statements of which records are missing, for problems: in the form of queries.sql, with the parameters
-- of problems.sql.

-- undelivered --
-- Processes of which records are missing that they do not say they had to drop; and components whose
-- newest process was heard for the last time some minutes ago, and of which nobody says that it has ended or
-- is gone: what it left open when a signal ended it is told as calls without an answer. As the
-- view `delivery` counts, but for processes only, without a look at all that is stored, and taking it that
-- no number came twice.
with numbered as (
    select resource_id, time, relayscope_store.delivery_sequence_of(attributes) as sequence,
           attributes ? 'relayscope.delivery.ended' as ended,
           -- Its forwarder says so, who may have come later.
           attributes ? 'relayscope.delivery.gone' as gone,
           relayscope_store.emitted_of(attributes) as emitted,
           relayscope_store.acknowledged_of(attributes) as acknowledged,
           -- Few records say so: it is added up for these alone.
           case jsonb_typeof(attributes -> 'relayscope.delivery.dropped')
               when 'object' then (
                   select sum(relayscope_store.whole_number(value))
                   from jsonb_each_text(attributes -> 'relayscope.delivery.dropped')
               )
           end as dropped
    from relayscope_store.unpacked_log
    where time >= %(since)s and time < %(until)s
      and last_time >= %(since)s and first_time < %(until)s
      and attributes ?| '{relayscope.delivery.sequence,relayscope.delivery.emitted}'
    union all
    select resource_id, time, sequence, false, false, null, null, null
    from relayscope_store.numbered_span
    -- Numbers are given at the end.
    where stored_time >= %(since)s::timestamptz - interval '1 hour' and stored_time < %(until)s
      and time >= %(since)s and time < %(until)s
),
process as (
    select component, name as process, min(time) as first_time,
           coalesce(max(time) filter (where not gone), max(time)) as last_time,
           greatest(max(sequence), max(emitted))
               - coalesce(min(sequence), coalesce(max(acknowledged), 0) + 1) + 1 - count(sequence) as missing,
           coalesce(max(dropped), 0) as dropped,
           bool_or(ended or gone) as ended
    from numbered
    join relayscope_store.process on process.id = numbered.resource_id
    where name is not null
    group by component, name
),
-- Children of which their parents say that they have ended, by the channel to them.
ended_child as materialized (
    select time, attributes ->> 'relayscope.channel.id' as channel
    from relayscope.other_logs
    where time >= %(since)s and event_name = 'relayscope.channel.closed'
      and attributes ?| '{process.exit.code,relayscope.channel.exit_signal}'
)
select component, process, greatest(missing, 0) as missing, dropped, first_time, last_time
from (
    select process.*,
           row_number() over (partition by component order by last_time desc) = 1 as is_newest
    from process
) as process
where missing > dropped
   or (
        is_newest and not ended and last_time < now() - interval '5 minutes'
        -- Nobody has called it, but it is there.
        and not exists (
            select from relayscope_store.asking_process as asking where asking.name = process.process
        )
        -- It was ended without a chance to say so: the child is known by the last that it was asked.
        and not exists (
            select
            from (
                select trace_id, body
                from relayscope.messages
                where component = process.component
                  and relayscope_store.process_of(resource) = process.process
                  and kind = 'request' and direction = 'received'
                  and time between process.last_time - interval '1 hour' and process.last_time
                order by time desc
                limit 1
            ) as heard
            join relayscope.messages as said on said.trace_id = heard.trace_id and said.body = heard.body
            join ended_child on ended_child.channel = said.channel
            where said.kind = 'request' and said.direction = 'sent'
              and ended_child.time >= process.last_time - interval '1 minute'
        )
    )
order by missing desc, last_time desc
limit %(most)s

-- dropped --
-- What processes say that they had to drop, by reason: the last word of each, in totals since its start.
with account as materialized (
    select distinct on (component, process) component, process, time, dropped
    from (
        select component, time,
               relayscope_store.process_of(resource) as process,
               attributes -> 'relayscope.delivery.dropped' as dropped
        from relayscope.other_logs
        where time >= %(since)s and time < %(until)s and event_name = 'relayscope.delivery'
    ) as said
    where jsonb_typeof(dropped) = 'object'
    order by component, process, time desc
)
select account.component, account.process, reason.name as reason,
       relayscope_store.whole_number(reason.records) as records, 1 as occasions,
       account.time as first_time, account.time as last_time
from account
cross join lateral jsonb_each_text(account.dropped) as reason (name, records)
where relayscope_store.whole_number(reason.records) > 0
order by 4 desc, account.time desc
limit %(most)s
