"""What runs inside a user's process: hooks, the exchange, capture levels, and the distro.

A message's path: a hook (`hooks/`) sees it, `exchange.py` decides which span it belongs to,
`message_log.py` makes its log record.
"""

from .exchange import Exchange
from .level import Level
from .process import shared_exchange

__all__ = ["Exchange", "Level", "shared_exchange"]
