"""Retention: whole segments are removed, by their age and by the size of the database."""

from relayscope.storage.retention.policy import Policy
from relayscope.storage.retention.removal import (
    Hold,
    Removal,
    database_bytes,
    hold,
    holds,
    plan,
    remove,
    sealed_removals,
)
from relayscope.storage.retention.unused_entries import forget_unused
from relayscope.storage.retention.unused_tables import drop_unused_tables

__all__ = [
    "Hold",
    "Policy",
    "Removal",
    "database_bytes",
    "drop_unused_tables",
    "forget_unused",
    "hold",
    "holds",
    "plan",
    "remove",
    "sealed_removals",
]
