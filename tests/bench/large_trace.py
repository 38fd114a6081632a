"""A trace of a thousand spans and two thousand messages, and how soon a browser shows it."""

from __future__ import annotations

import os
import time
from typing import Final
from uuid import UUID

from playwright.sync_api import sync_playwright

from relayscope.conventions.events import EVENT_MESSAGE
from relayscope.storage import Batch, Writer, create_engine
from tests.bench.traffic import Traffic
from tests.fix_page import ARGUMENTS, CHROMIUM

_SPANS: Final = 1_000
_MESSAGES: Final = 2_000
_STEPS: Final = 112
"""Of `Traffic`, each of 10 spans and 18 messages: so many until there are 2,000."""

_SEED: Final = 1_000_000
"""Another than that of each day of `bench_query`: the same makes traces of the same ids."""

_STEP_NS: Final = 50_000_000
_TRACE_ID: Final = 4
_SPAN_ID: Final = 5
_PARENT: Final = 6
_EVENT_NAME: Final = 9
_PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def store(url: str) -> UUID:
    """Store the trace: a step of a client has called all the others; it ended just now.

    The messages of the last steps, whose spans would be too many, are those of the first.
    """
    traffic = Traffic(_SEED)
    began = time.time_ns() - _STEPS * _STEP_NS
    steps = [traffic.trace(began + number * _STEP_NS) for number in range(_STEPS)]
    spans = [span for step in steps for span in step.spans][:_SPANS]
    messages = [log for step in steps for log in step.logs if log[_EVENT_NAME] == EVENT_MESSAGE][
        :_MESSAGES
    ]
    known = {span[_SPAN_ID] for span in spans}
    root = next(span[_SPAN_ID] for span in spans if span[_PARENT] is None)
    trace_id = steps[0].trace_id
    batch = Batch(os.urandom(16), traffic.resources, traffic.scopes)
    for log in messages:
        span_id = log[_SPAN_ID] if log[_SPAN_ID] in known else root
        batch.logs.append((*log[:_TRACE_ID], trace_id, span_id, *log[_SPAN_ID + 1 :]))
    for span in spans:
        is_other = span[_PARENT] is None and span[_SPAN_ID] != root
        parent = root if is_other else span[_PARENT]
        batch.spans.append(
            (*span[:_TRACE_ID], trace_id, span[_SPAN_ID], parent, *span[_PARENT + 1 :])
        )
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
