"""The two encodings of a record: compact in the spool, OTLP on the wire."""
