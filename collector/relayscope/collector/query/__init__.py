"""Queries of what is stored: lists, traces, comparisons, statements of the user's own.

::

    database.py                      one read-only transaction, as a role that can only read
       ├── named_query.py            the statements of queries.sql and lists.sql, their values bound
       │      ├── listing.py         lists.sql -> rows, the newest or the greatest; filters.py
       │      └── traces.py          queries.sql -> records.py: spans, messages, logs
       │             └── trace_tree.py   who called whom, whatever the parents say; pure
       └── statement.py              one statement of the user's own

`render` makes text of them for a terminal and for programs. All that comes out of the database was
written by strangers: `text/printable.py` is the gate between it and a terminal.
"""
