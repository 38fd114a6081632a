"""Code that runs inside a user's process: hooks, the exchange, capture levels, and the distro.

A message's path: a hook (`hooks/`) sees it, `exchange.py` decides which span it belongs to,
`recording/message_log.py` makes its log record.

Names are imported when they are used: the command that starts a program and the forwarder, which
need none of them, start 0.3 s sooner.
"""

from typing import TYPE_CHECKING

from .runtime.lazy_names import lazy_names

if TYPE_CHECKING:
    from .exchange import Exchange
    from .process import set_levels, shared_exchange
    from .traffic.level import Level
    from .traffic.levels import Direction, Levels, Rule
    from .traffic.profile import read_profile

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

__getattr__ = lazy_names(
    __name__,
    {
        "Direction": "traffic.levels",
        "Exchange": "exchange",
        "Level": "traffic.level",
        "Levels": "traffic.levels",
        "Rule": "traffic.levels",
        "read_profile": "traffic.profile",
        "set_levels": "process",
        "shared_exchange": "process",
    },
)
