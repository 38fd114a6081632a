-- The newest of whatever, and the newest that went wrong, without reading all of a day
-- (tests/bench/results/message-columns-2026-11-25.txt). The BRIN indexes stay until a later release:
-- dropping an index waits for whoever reads, and they cost next to nothing.

create index span_by_time on relayscope_store.span (start_time);
create index span_errors on relayscope_store.span (start_time) where status_code = 2;
create index log_by_time on relayscope_store.log (time);
create index log_severe on relayscope_store.log (time) where severity_number >= 13;
