"""Looking after what is stored: sealing it, archiving it, removing it, and bringing it back."""

from relayscope.collector.upkeep.policy import classes, policy
from relayscope.collector.upkeep.round import Round

__all__ = ["Round", "classes", "policy"]
