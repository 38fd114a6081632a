-- Roles, and what a writer may do beside adding records; `grants.sql` says what each may do.

-- Who may read, and nothing else: no files, no programs, no tables of other applications. Roles
-- belong to the whole server, so another database may have made it; and where the user that
-- migrates may not make roles, readers keep the user they come with.
do $$
begin
    if not exists (select from pg_roles where rolname = 'relayscope_reader')
        and exists (
            select from pg_roles where rolname = current_user and (rolcreaterole or rolsuper)
        )
    then
        create role relayscope_reader login;
    end if;
exception
    -- Somebody else made it between the question and the answer.
    when duplicate_object or unique_violation then null;
end
$$;

-- Which roles there are for this database.
create table relayscope_store.role (
    kind text primary key check (kind in ('owner', 'writer', 'reader', 'retention')),
    name text not null
);

insert into relayscope_store.role values ('reader', 'relayscope_reader');

-- Partitions are made by whoever writes, and belong to the owner: this is all that a writer can
-- do beside adding records.
create function relayscope_store.make_partition(
    parent text, partition text, from_time timestamptz, to_time timestamptz
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    time_column text := case parent when 'span' then 'start_time' else 'time' end;
    attach text := format(
        'alter table relayscope_store.%I attach partition relayscope_store.%I'
        ' for values from (%L) to (%L)', parent, partition, from_time, to_time
    );
begin
    if parent not in ('span', 'log', 'metric_point')
        or partition !~ ('^' || parent || '_[0-9][0-9_]*$')
    then
        raise exception 'no partition of records' using errcode = 'insufficient_privilege';
    end if;
    execute format(
        'create table relayscope_store.%I (like relayscope_store.%I including all)',
        partition, parent
    );
    begin
        execute attach;
    exception
        when check_violation then
            -- Rows of this time are in DEFAULT. Who reads knows the partitions before it waits for
            -- one of them: it would find the rows neither here nor there, if it waited for DEFAULT.
            execute format(
                'lock table only relayscope_store.%I in access exclusive mode', parent
            );
            execute format(
                'with moved as (delete from relayscope_store.%I where %I >= $1 and %I < $2'
                ' returning *) insert into relayscope_store.%I select * from moved',
                parent || '_default', time_column, time_column, partition
            ) using from_time, to_time;
            execute attach;
    end;
end
$$;

revoke execute on function relayscope_store.make_partition from public;

-- A reader may set its own time limits otherwise; nobody can do anything about this one. Who may end
-- a reader's sessions may also read what it reads, so that the owner ends them and no writer.
create function relayscope_store.end_long_reads(longest interval) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    reader text := (select name from relayscope_store.role where kind = 'reader');
begin
    if not exists (select from pg_roles where rolname = reader) then
        return 0;
    end if;
    -- Else it would be shown no session's state, and so would find none.
    if not pg_has_role(reader, 'usage') then
        raise exception 'the owner is no member of the reader'
        using errcode = 'insufficient_privilege';
    end if;
    return (
        select count(*) filter (where pg_terminate_backend(pid))
        from pg_stat_activity
        where usename = reader and datname = current_database() and case
            when state = 'active' then now() - query_start
            when state like 'idle in transaction%' then now() - state_change
        end > longest
    );
end
$$;

revoke execute on function relayscope_store.end_long_reads from public;
