"""Reading what was stored: lists, traces, comparisons, SQL.

The way from rows to the screen::

    command.py ──▶ database.py               one read-only transaction, as a role that can only read
        │             ├── traces.py          queries.sql -> records.py: spans, messages, logs
        │             └── statement.py       one statement of the user's own
        ├── trace_tree.py                    who called whom, whatever the parents say; pure
        ├── trace_text.py  trace_json.py     a trace for people, a trace for programs
        ├── tabular.py                       rows as a table, TSV, CSV or JSON lines
        └── plain_text.py                    what telemetry says never moves the cursor

    list_commands.py ──▶ filters.py          options, and what they are bound as
        ├── listing.py                       lists.sql -> rows, the newest or the greatest
        ├── lists.py  list_table.py          what a row shows in a terminal, in any width
        └── last_list.py                     what its number stands for, for the next command

All that comes out of the database was written by strangers. `plain_text` is the one gate between
it and a terminal: every function here that makes a line puts text through it.
"""
