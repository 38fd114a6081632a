"""Requests wait in a spool on disk while PostgreSQL is away."""

from relayscope.collector.ingest.outage.outage import Outage, Spooled

__all__ = ["Outage", "Spooled"]
