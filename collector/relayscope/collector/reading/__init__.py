"""Reading what was stored: `relayscope trace` and `relayscope sql`.

The way from rows to the screen::

    command.py ──▶ database.py               one read-only transaction, as a role that can only read
        │             ├── traces.py          queries.sql -> records.py: spans, messages, logs
        │             └── statement.py       one statement of the user's own
        ├── trace_tree.py                    who called whom, whatever the parents say; pure
        ├── trace_text.py  trace_json.py     a trace for people, a trace for programs
        ├── tabular.py                       rows as a table, TSV, CSV or JSON lines
        └── plain_text.py                    what telemetry says never moves the cursor

All that comes out of the database was written by strangers. `plain_text` is the one gate between
it and a terminal: every function here that makes a line puts text through it.
"""
