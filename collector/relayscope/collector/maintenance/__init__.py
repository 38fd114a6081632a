"""Looking after what is stored: sealing it, archiving it, removing it, and bringing it back."""

from relayscope.collector.maintenance.maintenance_round import MaintenanceRound
from relayscope.collector.maintenance.retention_policy import classes, policy

__all__ = ["MaintenanceRound", "classes", "policy"]
