"""Instrumented hosts of the delivery scenarios, and what the database says about their records."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import text

from relayscope.conventions.attributes import DELIVERY_DROPPED, DELIVERY_SEQUENCE
from relayscope.conventions.events import EVENT_DELIVERY
from relayscope.instrumentation.delivery.launch.launcher import LOG_NAME
from relayscope.spool import list_slots
from relayscope.spool.format.cursor import CURSOR
from relayscope.storage import create_engine
from tests.fix_delivery import SPOOL_DIR, end_forwarders, forwarders
from tests.fix_programs import SCRIPTS, host_environment, instrumented, python
from tests.soak.field import RECOVERY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

_LINE = 33
"""Characters of a mark and its end."""


@dataclass
class Verdict:
    """Fate of the records that hosts emitted, as numbers of them.

    Attributes:
        emitted: Records whose emission had returned, so that a peer could have seen them.
        stored: Those of them that are in the database.
        lost: Those that are not.
        twice: Those that are there more than once.
        changed: Those that have another text.
        counted: Records that were dropped, according to the accounts.
        missing: Numbers that are missing between the first and the last of each process.
    """

    emitted: int
    stored: int
    lost: int
    twice: int
    changed: int
    counted: int
    missing: int


class Host:
    """A running emitter, and the marks that it has said."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.marks: list[str] = []
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.kill()
        self.wait()

    def wait(self) -> None:
        """Wait for its end."""
        self.process.wait()
        self._reader.join()

    def wait_for(self, marks: int) -> None:
        """Wait until it has said so many marks, or has ended."""
        while len(self.marks) < marks and self.process.poll() is None:
            time.sleep(0.01)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                # A line that a kill has cut off was not said.
                if line.endswith("\n") and len(line) == _LINE:
                    self.marks.append(line[:-1])


@dataclass
class Hosts:
    """The hosts of one scenario: one component, one folder of spools."""

    component: str
    spools: Path
    endpoint: str
    variables: dict[str, str] = field(default_factory=dict)
    started: list[Host] = field(default_factory=list)

    def start(self, *arguments: str) -> Host:
        """Start an emitter."""
        return self.launch(instrumented(self.component, python("emitter.py", *arguments)))

    def launch(self, command: list[str]) -> Host:
        """Start an emitter with a command of the scenario's own."""
        host = Host(command, self.environment())
        self.started.append(host)
        return host

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let nothing of them be left behind."""
        try:
            yield
        finally:
            for host in self.started:
                host.kill()
            end_forwarders(self.spools)

    def settle(self) -> float:
        """Wait until everything has been delivered, as a next process would bring it about.

        Returns:
            The number of seconds that this took.

        Raises:
            AssertionError: Nothing has moved for `RECOVERY_SECONDS`.
        """
        for host in self.started:
            host.wait()
        started = moved_at = time.monotonic()
        acknowledged = self._acknowledged()
        while list_slots(self.spools / self.component):
            if not forwarders(self.spools):
                self.flush()
            before, acknowledged = acknowledged, self._acknowledged()
            if acknowledged != before:
                moved_at = time.monotonic()
            if time.monotonic() - moved_at > RECOVERY_SECONDS:
                log = (self.spools / self.component / LOG_NAME).read_text()
                found = [(path.name, path.stat().st_size) for path in self.spools.rglob("*")]
                raise AssertionError(
                    f"what waits is not delivered: {found}, {forwarders(self.spools)}, "
                    f"{self.flush()}, {log[-1000:]}"
                )
            time.sleep(0.05)
        return time.monotonic() - started

    def _acknowledged(self) -> dict[Path, bytes]:
        """Return the cursor of each spool: the place up to which it has been acknowledged."""
        said = {}
        for folder in list_slots(self.spools / self.component):
            with suppress(FileNotFoundError):  # It has just been deleted, being empty.
                said[folder] = (folder / CURSOR).read_bytes()
        return said

    def flush(self) -> str:
        """Run `relayscope-instrument --flush`; return what it said."""
        command = [str(SCRIPTS / "relayscope-instrument"), "--flush"]
        finished = subprocess.run(
            command, env=self.environment(), check=False, capture_output=True, text=True
        )
        return finished.stdout + finished.stderr

    def judge(self, database_url: str) -> Verdict:
        """Compare the database with what was emitted."""
        emitted = {mark for host in self.started for mark in host.marks}
        engine = create_engine(database_url)
        try:
            with engine.connect() as connection:
                found, changed = self._found(connection)
                counted, missing = self._counted(connection), self._missing(connection)
        finally:
            engine.dispose()
        return Verdict(
            emitted=len(emitted),
            stored=len(emitted & found.keys()),
            lost=len(emitted - found.keys()),
            twice=sum(count > 1 for count in found.values()),
            changed=changed,
            counted=counted,
            missing=missing,
        )

    def _found(self, connection: Connection) -> tuple[Counter[str], int]:
        rows = connection.execute(
            text("""
                select attributes ->> 'mark', body is not null and not starts_with(
                           body, 'payload of ' || (attributes ->> 'mark') || ' ')
                  from relayscope.logs where component = :component and attributes ? 'mark'
                union all
                select attributes ->> 'mark', name <> 'work'
                  from relayscope.spans where component = :component and attributes ? 'mark'
            """),
            {"component": self.component},
        ).all()
        return Counter(mark for mark, _ in rows), sum(changed for _, changed in rows)

    def _counted(self, connection: Connection) -> int:
        """Return the number of dropped records, from the last account of each process."""
        accounts = connection.execute(
            text("""
                select distinct on (resource ->> 'service.instance.id') attributes -> :dropped
                  from relayscope.logs
                 where component = :component and event_name = :event
                 order by resource ->> 'service.instance.id', time desc, time_unix_nano desc
            """),
            {
                "component": self.component,
                "event": EVENT_DELIVERY,
                "dropped": DELIVERY_DROPPED,
            },
        ).scalars()
        return sum(sum(dropped.values()) for dropped in accounts)

    def _missing(self, connection: Connection) -> int:
        """Numbers that no record of a process has, up to its last."""
        statement = text("""
            with numbered as (
                select resource ->> 'service.instance.id' as instance,
                       cast(attributes ->> :sequence as bigint) as number
                  from relayscope.logs where component = :component
                union all
                select resource ->> 'service.instance.id',
                       cast(attributes ->> :sequence as bigint)
                  from relayscope.spans where component = :component
            )
            select coalesce(sum(missing), 0) from (
                select max(number) - count(distinct number) as missing
                  from numbered where number is not null group by instance
            ) as processes
        """)
        values = {"component": self.component, "sequence": DELIVERY_SEQUENCE}
        return int(connection.execute(statement, values).scalar_one())

    def environment(self) -> dict[str, str]:
        """Return the variables that the programs are started with."""
        own = {SPOOL_DIR: str(self.spools), "OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint}
        return host_environment(**self.variables) | own
