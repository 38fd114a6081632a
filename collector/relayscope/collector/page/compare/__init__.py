"""Two of something beside each other: messages, peers, traces.

::

    view.py        the paths, and what their templates are given
    json_view.py   the paths of the same under `/api/`
      sides.py        the two, as an address names them
      messages.py     two messages, and in what they differ
      peers.py        what one peer sends and another does not, with the messages that show it
      alignment.py    two traces, step beside step, up to where they part and from there on; pure
      ladders.py      the two as ladders whose rows are level
"""

from relayscope.collector.page.compare import json_view, view

views = (*view.views, *json_view.views)

__all__ = ["views"]
