"""A PostgreSQL of our own, for those who have none.

`server` is the side of the processes that use it; `supervisor` is the small process that runs it,
for as long as anybody does; `privileges` lets both work for root, whom PostgreSQL refuses to serve.
"""

from relayscope.storage.embedded.connection import connect_embedded, is_embedded
from relayscope.storage.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer", "connect_embedded", "is_embedded"]
