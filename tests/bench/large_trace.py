"""A trace of a thousand spans and two thousand messages, and how soon a browser shows it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from playwright.sync_api import sync_playwright

from relayscope.storage import Batch, Writer, create_engine
from tests.bench.traffic import Traffic
from tests.fix_page import ARGUMENTS, CHROMIUM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relayscope.storage import Row

_STEPS: Final = 112
"""Of `Traffic`: 10 spans, 18 messages and 2 log records each."""

_STEP_NS: Final = 50_000_000
_TRACE_ID: Final = 4
_PARENT: Final = 6
_PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def store(url: str) -> UUID:
    """Store the trace: a step of a client has called all the others; it ended just now."""
    traffic = Traffic(0)
    began = time.time_ns() - _STEPS * _STEP_NS
    steps = [traffic.trace(began + number * _STEP_NS) for number in range(_STEPS)]
    trace_id = steps[0].trace_id
    root = next(span[_PARENT - 1] for span in steps[0].spans if span[_PARENT] is None)

    def moved(rows: list[Row]) -> Iterator[Row]:
        for row in rows:
            yield (*row[:_TRACE_ID], trace_id, *row[_TRACE_ID + 1 :])

    batch = Batch(os.urandom(16), traffic.resources, traffic.scopes)
    for step in steps:
        batch.logs += moved(step.logs)
        for span in moved(step.spans):
            is_other = span[_PARENT] is None and span[_PARENT - 1] != root
            parent = root if is_other else span[_PARENT]
            batch.spans.append((*span[:_PARENT], parent, *span[_PARENT + 1 :]))
    engine = create_engine(url)
    writer = Writer(engine)
    writer.write([batch])
    writer.close()
    engine.dispose()
    return UUID(bytes=trace_id)


def first_paints(address: str, times: int) -> list[float]:
    """Open an address in a browser so many times, each as a new visitor, and once before.

    Returns:
        Milliseconds until the browser first painted some of it.
    """
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for _ in range(times + 1):
            with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
                page = context.new_page()
                page.goto(address, wait_until="load")
                painted = None
                while painted is None:  # the browser says it a moment later
                    painted = page.evaluate(_PAINT)
                found.append(float(painted))
        browser.close()
    return found[1:]
