"""Closing what is written to no more, so that it is small and found by its text.

`Sealer.seal` moves the rows of past partitions into segments: log records are packed in chunks and
get an index of their text, spans one of their attributes, and each class of retention its own
tables. Writers never wait for it, but those who write to the very partition being exchanged,
for the moment that takes.
"""

from relayscope.storage.sealing.sealer import Sealed, Sealer, alone
from relayscope.storage.sealing.segment import Segment
from relayscope.storage.sealing.source import unsealed
from relayscope.storage.sealing.strays import place_strays

__all__ = ["Sealed", "Sealer", "Segment", "alone", "place_strays", "unsealed"]
