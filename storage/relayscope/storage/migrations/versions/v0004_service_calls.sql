-- A relay of which one leg is not seen passes on the trace context that it was given, so that a call
-- has several spans below it that say they served it. The first one did: it caused the others.
create or replace function relayscope.service_calls(
    from_time timestamptz default '-infinity', to_time timestamptz default 'infinity'
) returns table (
    caller text,
    callee text,
    method text,
    calls bigint,
    failed bigint,
    mean interval,
    p50 interval,
    p95 interval,
    longest interval,
    first_time timestamptz,
    last_time timestamptz
)
language sql stable parallel safe
as $$
    select
        call.caller,
        call.callee,
        call.method,
        count(*),
        count(*) filter (where call.failed),
        avg(call.duration),
        percentile_cont(0.5) within group (order by call.duration),
        percentile_cont(0.95) within group (order by call.duration),
        max(call.duration),
        min(call.start_time),
        max(call.start_time)
    from (
        select
            made.component as caller,
            coalesce(served.component, made.peer) as callee,
            made.method,
            made.failed,
            made.end_time - made.start_time as duration,
            made.start_time
        from relayscope_store.call_made as made
        left join (
            select distinct on (child.trace_id, child.parent_span_id)
                child.trace_id, child.parent_span_id, child.component
            from relayscope_store.call_served as child
            -- Another machine's clock may be an hour off; beyond that only the peer's address is
            -- known.
            where child.start_time >= from_time - interval '1 hour'
                and child.start_time < to_time + interval '1 hour'
            order by child.trace_id, child.parent_span_id, child.start_time
        ) as served
            on served.trace_id = made.trace_id and served.parent_span_id = made.span_id
        where made.start_time >= from_time and made.start_time < to_time
    ) as call
    group by call.caller, call.callee, call.method
$$;
