"""Spans, log records and metrics of messages and channels, without secrets."""
