-- About: `Dictionary` renews it once an hour. What is not seen for a day, and has no record left, goes.
alter table relayscope_store.resource add column seen_at timestamptz not null default now();
alter table relayscope_store.scope add column seen_at timestamptz not null default now();
