"""The relayscope collector: OTLP in, sanitized rows in PostgreSQL, `OK` after the commit.

The way of one request through the modules of this package::

    receive/grpc.py  receive/http.py     bytes arrive, within limits
             └──────┬──────┘
                intake.py                access.py and room.py let it in; the answer is counted
                    │
               pipeline.py               accept(signal, raw) -> response message, after the commit
                    │
                decoder/                 whose turn it is, in a thread or in a process beside
                    │
                 decode/                 OTLP bytes -> one sanitized storage.Batch; pure
                    │
             commit_group.py             a writer thread; concurrent requests share a commit
                    │
          relayscope.storage.Writer      binary COPY, one transaction
                    │
               status.py                 the outcome as a gRPC or HTTP answer

`serve/` builds these parts from `settings.py` and runs them; `command.py` is the command line.
"""
