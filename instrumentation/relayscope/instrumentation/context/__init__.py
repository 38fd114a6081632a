"""Trace context: which span a message belongs to, and how it is carried in `params._meta`."""
