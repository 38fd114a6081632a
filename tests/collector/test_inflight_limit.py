"""The bound on the bytes in flight."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.collector.errors import Overloaded
from relayscope.collector.ingest.inflight_limit import InflightLimit, Reservation

if TYPE_CHECKING:
    from collections.abc import Coroutine

SIZE = 100


def running(work: Coroutine[Any, Any, None]) -> None:
    """Run in a loop of its own."""
    asyncio.run(work)


async def settle() -> None:
    """Let everything that can go on go on."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_who_comes_first_is_let_in_first() -> None:
    """A small request does not overtake a large one that waits."""

    async def scenario() -> None:
        inflight_limit = InflightLimit(SIZE)
        first = await inflight_limit.reserve(80)
        large = asyncio.create_task(inflight_limit.reserve(50))
        small = asyncio.create_task(inflight_limit.reserve(10))
        await settle()
        assert not large.done()
        assert not small.done()
        first.release()
        await settle()
        assert large.done()
        assert small.done()
        assert inflight_limit.taken == 60

    running(scenario())


def test_who_gives_up_makes_way_for_those_behind() -> None:
    """A small request fits where a large one waited in vain."""

    async def scenario() -> None:
        inflight_limit = InflightLimit(SIZE)
        await inflight_limit.reserve(60)
        large = asyncio.create_task(inflight_limit.reserve(50))
        small = asyncio.create_task(inflight_limit.reserve(10))
        await settle()
        assert not small.done()
        large.cancel()
        await settle()
        assert small.done()
        assert inflight_limit.taken == 70

    running(scenario())


def test_a_repeat_of_what_was_answered_late_goes_first() -> None:
    """It has been stored meanwhile, however many newer requests wait, and once only."""

    async def scenario() -> None:
        inflight_limit = InflightLimit(SIZE)
        first = await inflight_limit.reserve(100)
        waiting = [asyncio.create_task(inflight_limit.reserve(60, "new")) for _ in range(128)]
        inflight_limit.answered_late("late")
        await settle()
        repeat = asyncio.create_task(inflight_limit.reserve(60, "late"))
        await settle()
        assert not repeat.done()
        first.release()
        (await repeat).release()
        await settle()
        assert sum(each.done() for each in waiting) == 1
        last = asyncio.create_task(inflight_limit.reserve(60, "late"))
        await settle()
        waiting.pop(0).result().release()
        await settle()
        assert not last.done()
        for each in (*waiting, last):
            each.cancel()

    running(scenario())


def test_what_is_given_back_early_lets_others_in() -> None:
    """A request turned out smaller than it could have been."""

    async def scenario() -> None:
        inflight_limit = InflightLimit(SIZE)
        first = await inflight_limit.reserve(100)
        waiting = asyncio.create_task(inflight_limit.reserve(40))
        await settle()
        first.shrink_to(60)
        assert await waiting
        assert inflight_limit.taken == 100

    running(scenario())


def test_who_waits_too_long_is_told_to_come_again() -> None:
    """The refusal is retryable, and nothing stays taken."""

    async def scenario() -> None:
        inflight_limit = InflightLimit(SIZE)
        first = await inflight_limit.reserve(100)
        with pytest.raises(Overloaded) as refused:
            await inflight_limit.reserve(1)
        assert refused.value.retryable
        first.release()
        assert inflight_limit.taken == 0
        assert await inflight_limit.reserve(100)

    running(scenario())


def test_too_many_do_not_wait() -> None:
    """A request that finds a long queue is refused at once."""

    async def scenario() -> None:
        inflight_limit = InflightLimit(SIZE)
        await inflight_limit.reserve(100)
        waiting = [asyncio.create_task(inflight_limit.reserve(1)) for _ in range(128)]
        await settle()
        one_more = asyncio.create_task(inflight_limit.reserve(1))
        await settle()
        assert isinstance(one_more.exception(), Overloaded)
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    running(scenario())


def test_growing_never_waits() -> None:
    """A request that is half read gives up rather than keep others waiting for itself."""

    async def scenario() -> None:
        inflight_limit = InflightLimit(SIZE)
        one, _other = await inflight_limit.reserve(40), await inflight_limit.reserve(40)
        one.grow_to(60)
        with pytest.raises(Overloaded):
            one.grow_to(61)
        assert inflight_limit.taken == 100
        one.release()
        one.release()
        assert inflight_limit.taken == 40

    running(scenario())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["reserve", "release", "cancel", "grow"]), st.integers(min_value=0)
        )
    )
)
def test_what_is_taken_is_what_is_held(steps: list[tuple[str, int]]) -> None:
    """In any order of events, no more is taken than there is, and nothing is left behind."""

    async def scenario() -> None:
        inflight_limit = InflightLimit(SIZE)
        tasks: list[asyncio.Task[Reservation]] = []
        for what, number in steps:
            if what == "reserve" or not tasks:
                tasks.append(asyncio.create_task(inflight_limit.reserve(number % SIZE)))
            else:
                task = tasks[number % len(tasks)]
                if what == "cancel":
                    task.cancel()
                elif task.done() and not task.cancelled():
                    with contextlib.suppress(Overloaded):
                        if what == "grow":
                            task.result().grow_to(number % SIZE)
                        else:
                            task.result().release()
            if number % 2:
                await settle()
            assert 0 <= inflight_limit.taken <= SIZE
        # Each that is let in leaves at once, so that everybody gets in.
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, Overloaded):
                (await task).release()
        assert inflight_limit.taken == 0
        assert (await inflight_limit.reserve(SIZE)) is not None

    running(scenario())
