"""Objects of which a process has one, made when they are first needed."""

import threading

import pytest

from relayscope.instrumentation.runtime.making import OnceMade


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


def test_a_failure_is_not_tried_again() -> None:
    """A host would pay for it with each message."""
    tries: list[int] = []

    def make() -> None:
        tries.append(1)
        raise OSError("broken")

    once = OnceMade(make)
    with pytest.raises(OSError, match="broken"):
        once.get()
    for _ in range(3):
        with pytest.raises(RuntimeError, match="could not be made"):
            once.get()

    assert tries == [1]


def test_who_needs_it_in_the_midst_of_its_making_takes_nothing_away() -> None:
    """A signal handler may: then a module is imported by half, and is whole a moment later."""
    interrupted: list[Exception] = []

    def make() -> str:
        if interrupted:
            raise ImportError("partially initialized module")
        interrupted.append(ValueError())
        with pytest.raises(ImportError):
            once.get()
        return "made"

    once = OnceMade(make)

    assert once.get() == "made"
    assert once.get() == "made"
