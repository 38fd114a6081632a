"""The relayscope collector: OTLP in, sanitized rows in PostgreSQL, `OK` after the commit.

The way of one request::

    receive/grpc.py  receive/http.py     bytes arrive, within limits
             └──────┬──────┘
            receive/admission.py         access.py and ingest/inflight_limit.py admit it; counts it
                    │
             ingest/pipeline.py          accept(sender, job, reservation), after the commit
                    │
              ingest/decoder/            whose turn it is, in a thread or in a process beside
                    │
              ingest/decode/             OTLP bytes -> one sanitized storage.Batch; pure
                    │
           ingest/commit_group.py        a writer thread; concurrent requests share a commit
                    │
          relayscope.storage.Writer      binary COPY, one transaction
                    │
             receive/status.py           the outcome as a gRPC or HTTP answer

Reading goes the other way: `query/` asks, `render/` writes for terminals, `page/` for browsers.

`serve/` builds these parts from `config/settings.py` and runs them; `cli/` is the command line.
"""
