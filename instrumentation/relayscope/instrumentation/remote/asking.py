"""The start of a forwarder's questions for levels; the modules for it are imported only then."""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from relayscope.instrumentation.delivery.origin import Origin

from .endpoint import chosen_endpoint
from .rules_file import RulesFile

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
    try:
        endpoint = chosen_endpoint()
        if endpoint is None:
            return nullcontext()
        from .polling import Polling  # noqa: PLC0415  # takes 60 ms and 9 MB
    except (ValueError, ImportError) as error:
        # Records are sent all the same.
        _log.warning("levels are not asked for: %s", error)
        return nullcontext()
    return Polling(endpoint, RulesFile(root, destination), processes)
