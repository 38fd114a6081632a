"""What runs inside a user's process: hooks, the exchange, capture levels, and the distro.

A message's path: a hook (`hooks/`) sees it, `exchange.py` decides which span it belongs to,
`message_log.py` makes its log record.
"""

from .exchange import Exchange
from .level import Level
from .levels import Direction, Levels, Rule
from .process import set_levels, shared_exchange
from .profile import read_profile

__all__ = [
    "Direction",
    "Exchange",
    "Level",
    "Levels",
    "Rule",
    "read_profile",
    "set_levels",
    "shared_exchange",
]
