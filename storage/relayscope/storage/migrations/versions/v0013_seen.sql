-- When a resource or scope was sent last, about: `Dictionary` renews it once an hour. A table of its own,
-- because changing those two would lock out, and could deadlock with, who writes meanwhile.
create table relayscope_store.entry_seen (
    id uuid primary key,
    seen_at timestamptz not null default now()
);

insert into relayscope_store.entry_seen (id)
select id from relayscope_store.resource union select id from relayscope_store.scope;
