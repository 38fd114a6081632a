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

do $$
begin
    if exists (select from pg_roles where rolname = 'relayscope_reader') then
        grant usage on schema relayscope to relayscope_reader;
        grant select on all tables in schema relayscope to relayscope_reader;
    end if;
end
$$;
