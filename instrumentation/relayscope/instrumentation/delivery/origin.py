"""The process that records come from, as its spool describes it."""

import os
from dataclasses import dataclass, replace
from typing import Any, Final, Self
from uuid import uuid4

import msgpack

_INSTANCE: Final = "service.instance.id"
_PID: Final = "process.pid"
SERVICE_NAME: Final = "service.name"


@dataclass(frozen=True, slots=True)
class Origin:
    """A process that emits records.

    Attributes:
        resource: Attributes of its resource; sanitized.
        destination: `settings.destination_digest` of where it wants its records to go.
        address: The collector that they are for, for people; empty if that is not known.
    """

    resource: dict[str, Any]
    destination: str
    address: str

    @classmethod
    def of_component(cls, component: str) -> Self:
        """A process of which nothing else is known, because its spool was damaged."""
        return cls({SERVICE_NAME: component}, "", "")

    @property
    def identity(self) -> dict[str, Any]:
        """The attributes that tell this process from all others."""
        return {key: self.resource[key] for key in (_INSTANCE, _PID) if key in self.resource}

    @property
    def pid(self) -> int:
        """The process's id; 0 if it is not known."""
        pid = self.resource.get(_PID)
        return pid if isinstance(pid, int) else 0

    def in_forked_child(self) -> "Origin":
        """Return the origin of a forked child: the same component, as another process."""
        identity = {_INSTANCE: str(uuid4()), _PID: os.getpid()}
        return replace(self, resource=self.resource | identity)

    def pack(self) -> bytes:
        """Return this as bytes."""
        packed: bytes = msgpack.packb(
            (self.resource, self.destination, self.address),
            default=str,
            unicode_errors="surrogatepass",
        )
        return packed

    @classmethod
    def unpack(cls, about: bytes) -> Self | None:
        """Return what `pack` made these bytes of; None if they are damaged."""
        try:
            said = msgpack.unpackb(about, unicode_errors="surrogatepass")
            resource, destination, address = (*said, "")[:3]
            return cls(dict(resource), str(destination), str(address))
        except (ValueError, TypeError):
            return None
