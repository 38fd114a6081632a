-- The questions of docs/sql.md and some more, ready to run: after what each asks, its statement.

-- What failed in the last hour, with what was asked and what was said --
select time, component, method, tool, outcome, error_code, request, answer
  from calls
 where time > now() - interval '1 hour' and outcome <> 'ok'
 order by time desc

-- All that happened in the trace of the last failed call, in its order --
select entry.time, entry.component, entry.name, entry.duration, entry.body
  from (select trace_id from calls
         where time > now() - interval '1 day' and outcome <> 'ok'
         order by time desc limit 1) as last
 cross join trace(last.trace_id) as entry
 order by entry.time

-- What the relay changed on the way: one row has the four legs of a relayed call --
select time, peer, asked_tool, tool, id_in, id_out, params_changed, arguments_changed,
       answer_changed, overhead, request_in, request_out, answer_in, answer_out
  from legs
 where time > now() - interval '1 hour'
   and method = asked_method
   and (name_changed or params_changed or answer_changed)
 order by time desc
 limit 20

-- What one backend's handshake has and another's has not --
select path, "left", "right", difference
  from compare_peers('initialize', '127.0.0.1:9050', '127.0.0.1:9051')

-- Messages that a healthy pair of peers would not have sent, and the trace they are in --
select time, component, peer, direction, odd, error_code, trace_id, body
  from odd_messages
 where time > now() - interval '1 day'
 order by time desc

-- Log records of your own programs beside the call that they belong to --
select calls.tool, calls.outcome, said.time, said.component, said.severity_text, said.body
  from calls
  join other_logs as said on said.trace_id = calls.trace_id
 where calls.time > now() - interval '1 hour' and calls.side = 'client' and said.severity_number >= 13
 order by calls.time, said.time

-- Where a text was said, and in which traces --
select time, component, trace_id, body
  from search('lookup', now() - interval '7 days')
 order by time desc

-- Which tools are slow, and for whom --
select component, peer, tool, count(*) as calls,
       percentile_cont(0.95) within group (order by duration) as p95
  from calls
 where time > now() - interval '1 day' and method = 'tools/call' and side = 'client'
 group by component, peer, tool
 order by p95 desc

-- Which traces did not stay in one process, and how long they took --
select start_time, trace_id, name, duration, components, errors
  from trace_summary
 where start_time > now() - interval '1 hour' and cardinality(components) > 1
 order by duration desc
 limit 10

-- Tools that a backend has listed and nobody has called --
select listed.peer, listed.tool
  from (select distinct messages.peer, tools.tool ->> 'name' as tool
          from messages
         cross join jsonb_array_elements(messages.json -> 'result' -> 'tools')
            as tools (tool)
         where time > now() - interval '1 day' and method = 'tools/list' and kind = 'result'
           and direction = 'received') as listed
 where not exists (select from messages
                    where time > now() - interval '1 day' and kind = 'request'
                      and messages.tool = left(listed.tool, 128))

-- Messages of which no record arrived --
select component, process, channel, peer, first_sequence, last_sequence, missing
  from delivery(now() - interval '1 day')
 where missing > 0

-- How many calls there were in each minute of the last hour, by outcome --
select date_bin('1 minute', time, '2000-01-01') as minute, outcome, count(*) as calls
  from calls
 where time > now() - interval '1 hour' and side = 'client'
 group by minute, outcome
 order by minute

-- How slow each component's calls were in each 5 minutes of the last day --
select date_bin('5 minutes', time, '2000-01-01') as time, component,
       percentile_cont(0.95) within group (order by duration) as p95
  from calls
 where time > now() - interval '1 day' and side = 'client' and duration is not null
 group by 1, 2
 order by 1
