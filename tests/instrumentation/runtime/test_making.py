"""Objects of which a process has one, made when they are first needed."""

import threading
from contextlib import suppress

import pytest

from relayscope.instrumentation.runtime.making import OnceMade
from relayscope.instrumentation.runtime.shield import Untold


def test_whoever_comes_while_it_is_made_waits_for_the_same() -> None:
    """It is made once, and nobody gets it before it is complete."""
    made: list[object] = []
    is_begun, may_go_on = threading.Event(), threading.Event()
    found: list[tuple[object, bool]] = []

    def complete(thing: object) -> None:
        is_begun.set()
        may_go_on.wait()
        made.append(thing)

    once = OnceMade(object, complete)

    def need() -> None:
        thing = once.get()
        found.append((thing, thing in made))

    threads = [threading.Thread(target=need) for _ in range(3)]
    threads[0].start()
    is_begun.wait()
    for thread in threads[1:]:
        thread.start()
    may_go_on.set()
    for thread in threads:
        thread.join()

    assert found == [(made[0], True)] * 3


def test_what_completes_it_may_need_it() -> None:
    """As the journal does, whose making may be logged, and so recorded."""
    found: list[object] = []
    once: OnceMade[object] = OnceMade(object, lambda _: found.append(once.get()))

    assert [once.get()] == found


def test_a_failure_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with each message, which the host would pay for; and it is told once."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    tries: list[float] = []

    def make() -> str:
        tries.append(now[0])
        if len(tries) < 4:
            raise OSError("no descriptor is free")
        return "made"

    once = OnceMade(make)
    with pytest.raises(OSError, match="no descriptor"):
        once.get()
    while not once.is_made:
        with suppress(Untold):
            once.get()
        now[0] += 0.25

    assert tries == [100, 101, 103, 107]
    assert once.get() == "made"


def test_who_needs_it_in_the_midst_of_its_making_takes_nothing_away() -> None:
    """A module may be imported by half then, and is whole a moment later; that is no news."""

    def make() -> str:
        with pytest.raises(Untold):
            once.get()
        return "made"

    once = OnceMade(make)

    assert once.get() == "made"
    assert once.get() == "made"
