"""Classes of components, by which requests are counted.

Metrics have the class and not the component: a component's name is text from telemetry, which
anybody may send, and no label of a metric holds such text. The classes are the user's own.
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from relayscope.storage import Batch

OTHER: Final = "other"
"""The class of components that belong to none."""

MIXED: Final = "mixed"
"""The class of requests with components of several classes, as a gateway sends them."""

_COMPONENT: Final = 1
"""Position of the component in the row of a resource."""


class ComponentClasses:
    """Knows the class of a request's components."""

    def __init__(self, patterns: Mapping[str, Sequence[str]]) -> None:
        """Prepare to tell classes apart.

        Args:
            patterns: shell patterns (`*relay*`) for components' names, whatever their case, by
                class; the first class with one that fits is it.
        """
        self._classes = list(patterns)
        self._expression = re.compile(
            "|".join(
                f"({'|'.join(fnmatch.translate(pattern.casefold()) for pattern in few)})"
                for few in patterns.values()
            )
            or r"(?!)"
        )

    def of(self, batch: Batch) -> str:
        """The class of a request: that of all its components, or `mixed`."""
        classes = set()
        for resource in batch.resources.values():
            classes.add(self._of_component(str(resource[_COMPONENT])))
            if len(classes) > 1:
                return MIXED
        return classes.pop() if classes else OTHER

    def _of_component(self, name: str) -> str:
        found = self._expression.match(name.casefold())
        return self._classes[found.lastindex - 1] if found and found.lastindex else OTHER
