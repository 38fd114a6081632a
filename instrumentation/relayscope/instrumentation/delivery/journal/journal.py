"""The host's side of delivery: numbers records and appends them to the process's spool.

Everything here runs on the host's threads, for every message. Nothing raises, nothing waits for
anybody: a record that the disk does not take is dropped and counted, and the count follows as soon
as the disk takes one again.
"""

import functools
import logging
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple

from opentelemetry.sdk._logs import ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan

from relayscope.conventions.attributes import SCOPE
from relayscope.conventions.environment import RELAYSCOPE_SPOOL_DIR
from relayscope.instrumentation.delivery.account_file import AccountFile
from relayscope.instrumentation.delivery.address import address
from relayscope.instrumentation.delivery.encoding.fields import FAILED, FULL, UNAVAILABLE
from relayscope.instrumentation.delivery.encoding.record import pack_log, pack_span
from relayscope.instrumentation.delivery.launch.launcher import Launcher
from relayscope.instrumentation.delivery.origin import SERVICE_NAME, Origin
from relayscope.instrumentation.delivery.settings import (
    component_dir,
    destination_digest,
    spool_settings,
)
from relayscope.instrumentation.runtime.fork import on_fork
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.sanitizer import Sanitizer
from relayscope.spool import Durability, Spool, SpoolError, SpoolFull, SpoolSettings

from .account import Account
from .beginning import Beginning

_log = logging.getLogger("relayscope.instrumentation")

_LOOK_SECONDS: Final = 1.0
"""Seconds between two looks of an emitting process for its forwarder: 12 µs each."""

_RETRY_SECONDS: Final = 1.0
"""After the spool could not be made, how long until it is tried again."""


class Journal:
    """The records of this process, on their way to its spool.

    Thread-safe; a forked child continues with a journal of its own.
    """

    def __init__(self, sanitizer: Sanitizer) -> None:
        self._settings = SpoolSettings()
        self._defers = False
        self._sanitizer = sanitizer
        self._resource: Resource | None = None
        self._origin = Origin({}, "", "")
        self._root = Path()
        self._launcher = Launcher(self._root, "", {})
        self._spool: Spool | None = None
        self._starting = threading.Lock()
        self._told = False
        self._account = Account()
        self._file: AccountFile | None = None
        self._reason = UNAVAILABLE
        self._retry_at = self._look_at = 0.0
        on_fork(after_in_child=self._after_fork_in_child)

    def begin(self, beginning: Beginning) -> None:
        """Make the spool and start the forwarder, unless that has been done."""
        if self._resource is not None:
            return
        self._resource = beginning.resource
        environment = beginning.environment
        self._settings = _settings(environment)
        self._defers = self._settings.durability is Durability.WINDOW
        own: dict[str, Any] = dict(beginning.resource.attributes)
        attributes = self._sanitizer.attributes(own)
        self._origin = Origin(attributes, destination_digest(environment), address(environment))
        if beginning.pid != os.getpid():
            self._origin = self._origin.in_forked_child()
        component = str(attributes.get(SERVICE_NAME, "unknown_service"))
        self._root = component_dir(component, environment)
        self._launcher = Launcher(self._root, self._origin.destination, environment)
        if self._open() is not None:
            # The host may be killed, or end, right after the record that it is about to emit.
            self._launcher.ensure_now()
        self._look()

    @property
    def place(self) -> "Place | None":
        """The place of its records; None before it has begun."""
        if self._resource is None:
            return None
        spool = self._spool
        return Place(self._root, self._origin.destination, None if spool is None else spool.folder)

    def log(self, record: ReadWriteLogRecord) -> None:
        """Append a log record."""
        scope = record.instrumentation_scope
        # The message log has passed its records through the same sanitizer.
        clean = scope is not None and scope.name == SCOPE
        self._append(pack_log, record, None if clean else self._sanitizer, record.resource)

    def span(self, span: ReadableSpan) -> None:
        """Append a span that has ended."""
        self._append(pack_span, span, self._sanitizer, span.resource)

    def end(self) -> None:
        """Close the account: this process emits nothing more."""
        self._retry_at = 0.0
        spool = self._spool or self._open()
        if spool is None:
            # There never was room for so much as an account: this is the only place left to say it.
            if self._account.untold:
                _log.warning("relayscope: not recorded, for want of a spool: %s", self._account)
            return
        try:
            # Whatever waits in memory comes before the end.
            spool.flush()
            spool.append(self._account.pack_end())
            spool.flush()
        except SpoolError as error:
            self._tell(error)
        self._launcher.ensure_now()
        self._launcher.tell_trouble()

    def flush(self) -> None:
        """Hand the records in memory to the operating system; without the window there are none."""
        if self._spool is not None:
            try:
                self._spool.flush()
            except SpoolError as error:
                self._tell(error)

    @shielded
    def _append(
        self,
        pack: Callable[..., bytes],
        thing: object,
        sanitizer: Sanitizer | None,
        resource: Resource | None,
    ) -> None:
        try:
            if self._resource is None:
                self.begin(Beginning.of_this_process(resource or Resource.get_empty()))
            number = self._account.number()
            if self._defers and self._spool is not None:
                job = functools.partial(self._pack, pack, thing, number, sanitizer)
                self._spool.append_later(job)
            else:
                self._write(pack(thing, number, sanitizer, self._resource))
            if monotonic() >= self._look_at:
                self._look()
                self._launcher.tell_trouble()
        except Exception as error:  # noqa: BLE001  # whatever a host may put on a record
            self._drop(FAILED, error)

    def _pack(
        self,
        pack: Callable[..., bytes],
        thing: object,
        number: int,
        sanitizer: Sanitizer | None,
    ) -> None:
        try:
            self._write(pack(thing, number, sanitizer, self._resource))
        except Exception as error:  # noqa: BLE001  # whatever a host may put on a record
            self._drop(FAILED, error)

    def _write(self, record: bytes) -> None:
        spool = self._spool or self._open()
        if spool is None:
            self._drop(self._reason, None)
            return
        try:
            spool.append(record)
        except SpoolError as error:
            self._drop(_reason(error), error)
        else:
            if self._account.untold:
                self._tell_account()

    def _drop(self, reason: str, error: BaseException | None) -> None:
        self._account.drop(reason)
        self._tell_account()
        if error is not None:
            self._tell(error)

    def _tell_account(self) -> None:
        try:
            self._open_file()
            if self._file is not None:
                self._file.write(self._account.pack())
        except (OSError, SpoolError):
            self._account.untold = True

    def _open_file(self) -> None:
        """Open the account beside the spool, unless it is open there.

        Both may have been closed by the host; then the spool is in another folder.
        """
        if self._spool is None:
            return
        folder, file = self._spool.folder, self._file
        if file is None or file.folder != folder or not file.is_open:
            self._file = None
            if file is not None:
                file.close()
            self._file = AccountFile(folder)

    def _open(self) -> Spool | None:
        if monotonic() < self._retry_at or not self._starting.acquire(blocking=False):
            return self._spool
        try:
            if self._spool is None:
                self._spool = Spool.create(self._root, self._settings, self._about)
        except SpoolError as error:
            self._reason = _reason(error)
            self._retry_at = monotonic() + _RETRY_SECONDS
            self._tell(error)
        finally:
            self._starting.release()
        return self._spool

    def _about(self) -> bytes:
        return self._origin.pack()

    def _look(self) -> None:
        self._look_at = monotonic() + _LOOK_SECONDS
        if self._spool is not None:
            self._launcher.ensure()
            with suppress(OSError, SpoolError):
                self._open_file()

    def _tell(self, error: BaseException) -> None:
        if not self._told:
            self._told = True
            _log.warning(
                "relayscope: a record could not be kept and is counted as dropped: %s "
                "(%s chooses another folder; further failures are not logged)",
                error,
                RELAYSCOPE_SPOOL_DIR,
            )

    def _after_fork_in_child(self) -> None:
        """Number anew, under an identity of its own; the spool begins its own by itself."""
        self._starting = threading.Lock()
        self._origin = self._origin.in_forked_child()
        self._account = Account()
        if self._file is not None:
            self._file.close()
            self._file = None
        self._retry_at = self._look_at = 0.0


def _reason(error: SpoolError) -> str:
    return FULL if isinstance(error, SpoolFull) else UNAVAILABLE


class Place(NamedTuple):
    """The place of a process's records.

    Attributes:
        root: The folder of its component's spools.
        destination: `destination_digest` of where they go.
        spool: The folder of its own spool; None while there is none.
    """

    root: Path
    destination: str
    spool: Path | None


def _settings(environment: Mapping[str, str]) -> SpoolSettings:
    try:
        return spool_settings(environment)
    except ValueError as error:
        _log.warning("relayscope: %s The default is used.", error)
        return SpoolSettings()
