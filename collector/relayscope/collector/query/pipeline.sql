-- What the collector itself does, in the form of queries.sql.

-- collector_history --
-- What all collector processes said of themselves, the last word of each stretch of `step` (interval)
-- between `since` and `until`.
select history.time, figure.name, figure.outcome, figure.code, figure.le, figure.value
from (
    select distinct on (date_bin(%(step)s, time, %(since)s)) time, figures
    from relayscope.collector_history
    where time >= %(since)s and time < %(until)s
    order by date_bin(%(step)s, time, %(since)s), time desc
) as history
cross join jsonb_to_recordset(history.figures)
    as figure (name text, outcome text, code text, le text, value double precision)
order by history.time

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
