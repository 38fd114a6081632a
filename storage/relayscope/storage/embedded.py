from pathlib import Path
from types import TracebackType
from typing import Self


class EmbeddedServer:
    """A PostgreSQL of our own, shared by all processes that use the same data folder.

    The first to `start` it starts it, the last to `stop` (or to die) stops it.
    Use it as a context manager, or call `stop`.

    Attributes:
        url: A URL for `create_engine`; it stays the same over restarts.
    """

    url: str

    @classmethod
    def start(cls, data_dir: Path) -> Self:
        """Start the server of a data folder, or join the one that runs; make both if need be.

        Raises:
            ServerDidNotStart: PostgreSQL said no; the message ends with its own words.
        """
        raise NotImplementedError(data_dir)

    @classmethod
    def join(cls, data_dir: Path) -> Self:
        """Like `start`, for those who only read: never makes a database.

        Raises:
            NoDatabase: Nothing was ever stored in this folder.
            ServerDidNotStart: PostgreSQL said no; the message ends with its own words.
        """
        raise NotImplementedError(data_dir)

    @classmethod
    def url_of(cls, data_dir: Path) -> str:
        """Return the URL that the server of this folder has whenever it runs."""
        raise NotImplementedError(data_dir)

    def stop(self) -> None:
        """Leave the server; the last to leave stops it and returns when it has stopped."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
