"""Two of something beside each other: messages, peers, traces.

::

    view.py        the paths, and what their templates are given
      messages.py     two messages, and in what they differ
      peers.py        what one peer sends and another does not, with the messages that show it
      alignment.py    two traces, step beside step, up to where they part and from there on; pure
      ladders.py      the two as ladders whose rows are level
"""

from relayscope.collector.page.compare.view import views

__all__ = ["views"]
