"""Promises about calls that do not keep their own deadline."""

import signal
import sys
import threading
import time

import pytest

from relayscope.instrumentation.delivery.destinations import overdue
from relayscope.instrumentation.delivery.destinations.overdue import Overdue, bounded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")


def test_a_call_that_would_wait_for_ever_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever handled the signal before does so again."""
    monkeypatch.setattr(overdue, "_GRACE", 0.1)
    before = signal.getsignal(signal.SIGALRM)

    with pytest.raises(Overdue), bounded(0.1):
        threading.Event().wait()

    assert signal.getsignal(signal.SIGALRM) is before


def test_a_call_that_ends_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No signal comes afterwards."""
    monkeypatch.setattr(overdue, "_GRACE", 0.1)

    with bounded(0.1):
        pass

    time.sleep(0.3)


def test_another_thread_is_not_bounded() -> None:
    """Only the main thread may handle signals; a call elsewhere is made as it is."""
    done: list[bool] = []

    def call() -> None:
        with bounded(0.0):
            done.append(True)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert done == [True]
