"""With the window, records are made and written a little later, and none is forgotten."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from relayscope.spool import Durability, Spool, SpoolSettings
from tests.fix_programs import eventually
from tests.spool.spools import contents, record
from tests.spool.test_interruption import SIGNALS, on_alarm, set_alarm

WINDOW = SpoolSettings(durability=Durability.WINDOW)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """A spool with the window."""
    with Spool.create(tmp_path, WINDOW) as spool:
        yield spool


def test_what_is_made_later_is_written_without_anybody_asking(spool: Spool) -> None:
    """The window's thread makes and writes it, also a second time after it has slept."""
    for number in range(2):
        makers: list[threading.Thread] = []

        def job(made: bytes = record(number), makers: list[threading.Thread] = makers) -> None:
            makers.append(threading.current_thread())
            spool.append(made)

        spool.append_later(job)

        eventually(lambda: record(number) in contents(spool))  # noqa: B023  # called before the next turn
        assert makers != [threading.main_thread()]


def test_a_flush_waits_for_what_is_made_later(spool: Spool) -> None:
    """After it, everything stands in the file, in the order in which it came."""
    expected = [record(number) for number in range(500)]
    for each in expected:
        spool.append_later(partial(spool.append, each))

    spool.flush()

    assert contents(spool) == expected


def test_who_is_faster_than_the_window_helps_it(spool: Spool) -> None:
    """However many come while its thread sleeps, what waits in memory has a bound."""
    waiting = 0
    most = 0

    def job(made: bytes) -> None:
        nonlocal waiting
        waiting -= 1
        spool.append(made)

    for number in range(20_000):
        waiting += 1
        spool.append_later(partial(job, record(number)))
        most = max(most, waiting)

    spool.flush()
    assert len(contents(spool)) == 20_000
    assert most <= 1100


def test_threads_and_signals_append_later_together(tmp_path: Path) -> None:
    """Handlers that interrupt appending, flushing and making lose nothing and double nothing."""
    appended: list[bytes] = []
    with Spool.create(tmp_path, WINDOW) as spool:

        def later(name: str, number: int) -> None:
            each = f"{name} {number}".encode()
            appended.append(each)
            spool.append_later(partial(spool.append, each))

        signals = 0

        def handler() -> None:
            nonlocal signals
            signals += 1
            later("handler", signals)
            if signals % 7 == 0:
                spool.flush()

        def work(append: Callable[[int], None]) -> None:
            for number in range(5000):
                append(number)

        threads = [
            threading.Thread(target=work, args=[partial(later, f"thread {each}")])
            for each in range(2)
        ]
        for thread in threads:
            thread.start()
        number = 0
        with on_alarm(handler):
            while signals < SIGNALS:
                set_alarm()
                later("main", number)
                if number % 5 == 0:
                    spool.flush()
                number += 1
        for thread in threads:
            thread.join()
        spool.flush()

        assert sorted(contents(spool)) == sorted(appended)
