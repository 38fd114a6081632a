"""Sealing: compacts and indexes partitions that no longer receive writes.

`Sealer.seal` moves the rows of past partitions into segments: log records are packed in chunks and
get an index of their text, spans one of their attributes, and each class of retention its own
tables. Writers never wait for it, but those who write to the very partition being exchanged,
for the moment that takes.
"""

from relayscope.storage.sealing.default_partition import move_default_rows, oldest_default_time
from relayscope.storage.sealing.live_partition import LivePartition, live_partitions
from relayscope.storage.sealing.maintenance_connection import maintenance_connection
from relayscope.storage.sealing.record_reader import read_dictionary, read_records
from relayscope.storage.sealing.retention_class import RetentionClass
from relayscope.storage.sealing.sealer import Sealed, Sealer
from relayscope.storage.sealing.segment import Segment

__all__ = [
    "LivePartition",
    "RetentionClass",
    "Sealed",
    "Sealer",
    "Segment",
    "live_partitions",
    "maintenance_connection",
    "move_default_rows",
    "oldest_default_time",
    "read_dictionary",
    "read_records",
]
