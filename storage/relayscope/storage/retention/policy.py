"""The retention policy: how long records are kept, and how large the database may be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from relayscope.storage.sealing.retention_class import REST


@dataclass(frozen=True, slots=True)
class Policy:
    """Ages up to which records are kept, and the size of the database.

    Attributes:
        ages: By signal (`log`, `span`, `metric_point`), how long after its time; what is missing
            is kept.
        class_ages: By the name of a `RetentionClass`, how long its records of any signal.
        max_bytes: Upper bound of the database's size; beyond it goes what is nearest to its end.
    """

    ages: Mapping[str, timedelta] = field(default_factory=dict)
    class_ages: Mapping[str, timedelta] = field(default_factory=dict)
    max_bytes: int | None = None

    def age(self, signal: str, class_: str) -> timedelta | None:
        """Return how long records of a class are kept; None if nothing says."""
        if class_ != REST and class_ in self.class_ages:
            return self.class_ages[class_]
        return self.ages.get(signal)

    def longest(self, signal: str) -> timedelta | None:
        """Return how long any record of a signal may be kept; None if nothing says."""
        if signal not in self.ages:
            return None
        return max(self.ages[signal], *self.class_ages.values(), timedelta())
