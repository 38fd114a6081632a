"""What happens to requests while PostgreSQL is away: they wait in a spool on disk."""

from relayscope.collector.ingest.outage.outage import Outage, Spooled

__all__ = ["Outage", "Spooled"]
