from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Engine

from relayscope.storage.batch import Batch, Outcome


class Writer:
    """Stores batches of records: one transaction and one commit for all of a call.

    Not thread-safe: make one per writing thread. It keeps one connection, opened when needed.
    """

    def __init__(self, engine: Engine, *, timeout: timedelta = timedelta(seconds=8)) -> None:
        """Prepare a writer; nothing is connected yet.

        Args:
            engine: Where to write, already migrated.
            timeout: No call takes longer, whatever the database does.
        """
        raise NotImplementedError(engine, timeout)

    def write(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Store all batches and commit; batches that were stored before are skipped.

        Returns:
            One outcome per batch, in the same order.

        Raises:
            StorageUnavailable: Nothing is stored; or, only when the connection broke during the
                commit, perhaps everything is. Write the same batches again: their digests make
                sure that they are stored once.
        """
        raise NotImplementedError(batches)

    def forget_requests(self, older_than: timedelta) -> int:
        """Forget which requests were stored, after the window in which they may be repeated.

        Returns:
            How many were forgotten.
        """
        raise NotImplementedError(older_than)

    def close(self) -> None:
        """Close the connection."""
