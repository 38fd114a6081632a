"""The page: what was said, in a browser.

A process of its own, so that reading never slows receiving.

The way of one request through the modules of this package::

    security.py      Host, Origin, log-in, the headers that bind the browser
        │
    application.py   finds the view of the path, gives it `Page`, makes pages of what goes wrong
        │
    a view           now.py problems.py cost.py setup.py trace.py lists.py ...: each a module with
        │            `views`; the filter is the address (`interval.py` its time)
        │
    reader.py        its questions, read-only, bounded in time, given up when the reader has left
        │
    templates/       what it found, as HTML; whatever telemetry says is escaped

`serve/page_process.py` starts it, when somebody first looks.
"""

from relayscope.collector.page.application import make_page

__all__ = ["make_page"]
