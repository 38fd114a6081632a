"""Totals of a process's records, as far as the forwarder knows: delivered, dropped, lost."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from relayscope.conventions.attributes import (
    DELIVERY_ACKNOWLEDGED,
    DELIVERY_DROPPED,
    DELIVERY_EMITTED,
    DELIVERY_ENDED,
    DELIVERY_GONE,
    DELIVERY_SPOOLED,
)
from relayscope.instrumentation.delivery.encoding.fields import AccountFields
from relayscope.spool import Loss

REJECTED = "rejected"
REFUSED = "refused"
FAILED = "failed"


@dataclass(slots=True)
class DeliveryTotals:
    """Totals of one process, over all forwarders that have worked on its spool.

    Attributes:
        emitted: Its highest number so far.
        acknowledged: Records that the collector has acknowledged.
        dropped_by_process: By reason, from the process's own latest account.
        dropped: By reason, on the way from the spool to the collector.
        ended: True if the process has closed its account.
        gone: True if it cannot do so any more.
    """

    emitted: int = 0
    acknowledged: int = 0
    dropped_by_process: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    ended: bool = False
    gone: bool = False

    def lose(self, losses: Iterable[Loss]) -> None:
        """Count what the spool says it has lost."""
        for loss in losses:
            self.dropped[loss.reason.value] += loss.records

    def hear(self, account: AccountFields) -> bool:
        """Take over what the process says about itself; return whether it has dropped more."""
        before = self.dropped_by_process.total()
        self.emitted = max(self.emitted, account.emitted)
        # A process says so in two places; its numbers only grow.
        self.dropped_by_process |= Counter(account.dropped)
        self.ended |= account.ended
        return self.dropped_by_process.total() > before

    def attributes(self) -> dict[str, Any]:
        """The attributes of the log record that tells all this."""
        attributes = {
            DELIVERY_EMITTED: self.emitted,
            DELIVERY_SPOOLED: self.emitted - self.dropped_by_process.total(),
            DELIVERY_ACKNOWLEDGED: self.acknowledged,
            DELIVERY_DROPPED: dict(self.dropped_by_process + self.dropped),
        }
        if self.ended:
            return attributes | {DELIVERY_ENDED: True}
        return attributes | ({DELIVERY_GONE: True} if self.gone else {})

    def pack(self) -> tuple[object, ...]:
        """Return this as something that msgpack knows."""
        return (
            self.emitted,
            self.acknowledged,
            dict(self.dropped_by_process),
            dict(self.dropped),
            self.ended,
            self.gone,
        )

    @classmethod
    def unpack(cls, fields: Iterable[Any]) -> Self:
        """Return what `pack` made this of."""
        emitted, acknowledged, by_process, dropped, *end = fields
        # A later version may say more.
        return cls(emitted, acknowledged, Counter(by_process), Counter(dropped), *end[:2])
