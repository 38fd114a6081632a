"""Whether a forwarder asks for levels at all; what it takes is imported only then."""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from relayscope.instrumentation.delivery.origin import Origin

_log = logging.getLogger(__name__)


def asking_for_levels(
    root: Path, destination: str, processes: Callable[[], Mapping[Path, Origin]]
) -> AbstractContextManager[object]:
    """Ask for as long as the context lasts, if the environment says where.

    Args:
        root: The folder of the component's spools, where the answers go.
        destination: `destination_digest` of the processes.
        processes: Returns them, by the folders of their spools.
    """
    # Takes 60 ms and 9 MB.
    from .endpoint import chosen_endpoint  # noqa: PLC0415
    from .given_file import GivenFile  # noqa: PLC0415
    from .polling import Polling  # noqa: PLC0415

    try:
        endpoint = chosen_endpoint()
    except ValueError as error:
        _log.warning("levels are not asked for: %s", error)
        endpoint = None
    if endpoint is None:
        return nullcontext()
    return Polling(endpoint, GivenFile(root, destination), processes)
