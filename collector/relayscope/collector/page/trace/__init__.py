"""One trace in the browser: what was said, in pictures, and all that is known of each message.

::

    address.py     what is shown, and how: the state of the page is its address
    view.py        the paths, and what their templates are given
      picture.py   a trace, loaded
        places.py      names for all that is in it
        exchange.py    what parties said to each other, in the order of time
          crossings.py     two records of one message are one message on its way
          clocks.py        clocks that differ are put right
        shown.py       what is folded and hidden
      ladder.py  waterfall.py  log.py      dataclasses that templates draw
      chosen.py    what is known of a message, a span, a log record
        content.py     a result as the model received it
        json_text.py   JSON laid out, every token as it was sent
        changes.py     what was changed on the way, by `journey.py`
"""

from relayscope.collector.page.trace.view import views

__all__ = ["views"]
