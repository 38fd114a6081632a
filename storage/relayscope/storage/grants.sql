-- What each role may do. Applied after every migration and by `relayscope db init`, to the roles that
-- `relayscope_store.role` names and that exist.
--
-- owner       has all of it, and does not log in
-- writer      adds records, keeps count of requests and figures, and keeps levels; reads no record
-- reader      reads the views and calls the functions
-- retention   does the owner's work: makes, seals and drops partitions
do $$
declare
    role record;
    object record;
    kinds text [];
    names text [];
begin
    -- Not in a loop over the table itself, which then could not be handed over.
    select array_agg(known.kind order by known.kind), array_agg(known.name order by known.kind)
    into kinds, names
    from relayscope_store.role as known
    join pg_catalog.pg_roles on pg_roles.rolname = known.name;
    for role in
        select known.kind, known.name from unnest(kinds, names) as known (kind, name)
    loop
        case role.kind
            when 'writer' then
                execute format('grant usage on schema relayscope_store to %I', role.name);
                execute format(
                    'grant insert on relayscope_store.resource, relayscope_store.scope,'
                    ' relayscope_store.span, relayscope_store.log, relayscope_store.metric_point'
                    ' to %I', role.name);
                execute format(
                    'grant select, insert, update on relayscope_store.entry_seen to %I', role.name);
                execute format(
                    'grant select, insert, delete on relayscope_store.request to %I', role.name);
                execute format(
                    'grant select, insert, update, delete on relayscope_store.figure,'
                    ' relayscope_store.figure_sample to %I', role.name);
                execute format(
                    'grant select, insert, update, delete on relayscope_store.level_rule,'
                    ' relayscope_store.level_in_force, relayscope_store.level_agent to %I', role.name);
                execute format(
                    'grant execute on function relayscope_store.heard_lately to %I', role.name);
                execute format(
                    'grant select on relayscope_store.alembic_version, relayscope_store.segment,'
                    ' relayscope_store.removal to %I', role.name);
                execute format(
                    'grant execute on function relayscope_store.make_partition,'
                    ' relayscope_store.end_long_reads to %I', role.name);
            when 'reader' then
                execute format(
                    'grant usage on schema relayscope, relayscope_store to %I', role.name);
                execute format('grant select on all tables in schema relayscope to %I', role.name);
                -- What functions read, who do not borrow the owner's rights as views do.
                execute format(
                    'grant select on relayscope_store.seen, relayscope_store.process,'
                    ' relayscope_store.call_made, relayscope_store.call_served,'
                    ' relayscope_store.numbered, relayscope_store.numbered_span,'
                    ' relayscope_store.unpacked_log, relayscope_store.ended_process,'
                    ' relayscope_store.heard, relayscope_store.log_of_trace,'
                    ' relayscope_store.asking_process to %I', role.name);
                -- What is sealed, and how large it is: no record.
                execute format('grant select on relayscope_store.segment to %I', role.name);
            when 'owner' then
                -- First: whoever is given a table must be able to make one there.
                execute format('alter schema relayscope owner to %I', role.name);
                execute format('alter schema relayscope_store owner to %I', role.name);
                for object in
                    select oid::regclass as name
                    from pg_catalog.pg_class
                    where relnamespace in (
                        'relayscope'::regnamespace, 'relayscope_store'::regnamespace
                    ) and relkind in ('r', 'p', 'v') and relowner <> role.name::regrole
                loop
                    execute format('alter table %s owner to %I', object.name, role.name);
                end loop;
                for object in
                    select oid::regprocedure as name
                    from pg_catalog.pg_proc
                    where pronamespace in (
                        'relayscope'::regnamespace, 'relayscope_store'::regnamespace
                    ) and proowner <> role.name::regrole
                    -- What extensions brought stays whose it is.
                    and not exists (
                        select from pg_catalog.pg_depend
                        where classid = 'pg_catalog.pg_proc'::regclass
                            and objid = pg_proc.oid and deptype = 'e'
                    )
                loop
                    execute format('alter function %s owner to %I', object.name, role.name);
                end loop;
            else
                null;
        end case;
    end loop;
end
$$;
