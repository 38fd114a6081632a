"""Signal handlers, finalisers and exceptions in the middle of an append do no harm."""

import gc
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relayscope.spool import Durability, Spool, SpoolSettings
from tests.spool.spools import contents, record

SIGNALS = 300


@contextmanager
def on_alarm(handler: Callable[[], None]) -> Iterator[None]:
    """Run ``handler`` in the main thread when the alarm goes off."""

    def handle(*_: object) -> None:
        handler()

    before = signal.signal(signal.SIGALRM, handle)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def set_alarm() -> None:
    """Let the alarm go off a few microseconds from now: in the middle of an append."""
    signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 2e-5))


def settings(durability: Durability) -> SpoolSettings:
    """Small segments, so that the beginning of one is interrupted as well."""
    return SpoolSettings(durability=durability, max_bytes=4 << 20)


@pytest.mark.parametrize("durability", Durability)
def test_a_signal_handler_may_append(tmp_path: Path, durability: Durability) -> None:
    """A record appended by a handler that interrupts an append is there, once; so is the other."""
    handled: list[bytes] = []
    with Spool.create(tmp_path, settings(durability)) as spool:

        def handler() -> None:
            each = b"handler %d" % len(handled)
            handled.append(each)
            spool.append(each)

        appended: list[bytes] = []
        with on_alarm(handler):
            while len(handled) < SIGNALS:
                each = b"main %d" % len(appended)
                set_alarm()
                spool.append(each)
                appended.append(each)
        spool.flush()
        records = contents(spool)
        assert [each for each in records if each.startswith(b"main")] == appended
        assert sorted(each for each in records if each.startswith(b"handler")) == sorted(handled)


def test_a_finaliser_may_append(tmp_path: Path) -> None:
    """A record appended while garbage is collected within an append is there."""

    class Telling:
        def __init__(self) -> None:
            self.itself = self  # A cycle, so that only the collector finds it.

        def __del__(self) -> None:
            told.append(b"finaliser %d" % len(told))
            spool.append(told[-1])

    told: list[bytes] = []
    threshold = gc.get_threshold()
    with Spool.create(tmp_path, settings(Durability.PROCESS)) as spool:
        gc.set_threshold(1)
        try:
            for number in range(500):
                Telling()
                spool.append(record(number))
        finally:
            gc.set_threshold(*threshold)
            gc.collect()
        records = contents(spool)
        assert len(told) == 500
        assert sorted(each for each in records if each.startswith(b"fin")) == sorted(told)
        assert [each for each in records if each.startswith(b"rec")] == [
            record(number) for number in range(500)
        ]


class Stop(BaseException):
    """Exception of a signal handler, like KeyboardInterrupt."""


def test_an_exception_within_an_append_costs_no_other_record(tmp_path: Path) -> None:
    """All appends that returned are there, once, at whatever instant a handler raises."""
    armed = False

    def handler() -> None:
        if armed:
            raise Stop

    returned: list[int] = []
    interrupted: list[int] = []
    number = 0
    with Spool.create(tmp_path, settings(Durability.PROCESS)) as spool:
        with on_alarm(handler):
            while len(interrupted) < SIGNALS:
                try:
                    armed = True
                    set_alarm()
                    spool.append(record(number))
                    armed = False
                except Stop:
                    armed = False
                    interrupted.append(number)
                else:
                    returned.append(number)
                number += 1
        numbers = [int(each.split()[1]) for each in contents(spool)]
        assert numbers == sorted(set(numbers))
        # An interrupted append may or may not have happened.
        assert set(returned) <= set(numbers) <= {*returned, *interrupted}
