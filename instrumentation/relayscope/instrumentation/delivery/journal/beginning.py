"""The process that a journal is of, as it was when it was instrumented.

The journal is made later: by then the host may have forked, changed its environment, or put modules
of its own where the forwarder's are.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from opentelemetry.sdk.resources import Resource

from relayscope.instrumentation.launch.defaults import with_defaults
from relayscope.instrumentation.launch.python_path import python_path_without_loader

_PATH: Final = python_path_without_loader(
    os.pathsep.join(path for path in sys.path if Path(path).is_absolute())
)
"""Folders of this process's modules. They are looked up when the distribution is loaded, because
the host's own folder is added afterwards, and holds none of the forwarder's modules. Nothing
instruments the forwarder."""


class Beginning(NamedTuple):
    """A process as it was when it was instrumented.

    Attributes:
        resource: Its own; other resources stand in the records.
        pid: Of the process that the resource describes.
        environment: Its variables, and where it finds its modules, which `site` would say else.
    """

    resource: Resource
    pid: int
    environment: Mapping[str, str]

    @classmethod
    def of_this_process(cls, resource: Resource) -> "Beginning":
        """Return the beginning of this process, now."""
        return cls(resource, os.getpid(), with_defaults(os.environ) | {"PYTHONPATH": _PATH})
