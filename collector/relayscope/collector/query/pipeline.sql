-- What the collector itself does, in the form of queries.sql.

-- collector_figures --
-- What all collector processes say of themselves, together; of what is a state and no count, only what
-- those say that have been heard of just now.
select name, labels ->> 'outcome' as outcome, labels ->> 'code' as code, labels ->> 'le' as le,
       sum(value) as value
from relayscope.collector_figures
where name in (
        'relayscope_items_total', 'relayscope_requests_total', 'relayscope_sanitizer_hits_total',
        'relayscope_commit_seconds_bucket', 'relayscope_outage_lost_requests_total'
    )
   or (
        name in ('relayscope_outage_waiting_bytes', 'relayscope_in_flight_bytes')
        and updated_at > now() - interval '30 seconds'
    )
group by 1, 2, 3, 4

-- stored_over_time --
-- How many records there are of each stretch of `step` (interval) between `since` and `until`.
select date_bin(%(step)s, time, %(since)s) as time, 'log records' as what, count(*) as records
from relayscope.logs
where time >= %(since)s and time < %(until)s
group by 1
union all
select date_bin(%(step)s, start_time, %(since)s), 'spans', count(*)
from relayscope.spans
where start_time >= %(since)s and start_time < %(until)s
group by 1
order by 1

-- partitions --
-- The newest sealed segments, and the partitions that are written to, with their sizes.
select signal, class, from_time, to_time, rows, bytes, true as is_sealed
from relayscope_store.segment
where state = 'sealed'
union all
select parent.relname::text, null, bounds.start_time, bounds.end_time, null,
       pg_total_relation_size(child.oid), false
from pg_catalog.pg_inherits
join pg_catalog.pg_class as child on child.oid = inhrelid
join pg_catalog.pg_class as parent on parent.oid = inhparent
cross join lateral relayscope_store.bounds(child.oid) as bounds
where parent.relnamespace = 'relayscope_store'::regnamespace
  and parent.relname in ('log', 'span', 'metric_point')
order by from_time desc, signal, class
limit %(most)s

-- database_bytes --
-- How large the database is.
select pg_database_size(current_database()) as bytes
