"""What passes through this process while its context gets lost: from one thread to another.

A relay that reads in one thread and writes in another leaves no trace of which request it writes
for. But it passes messages on: one that is sent and looks like one that was received is that one.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from opentelemetry.trace import Span

from .message import Message

_MOST: Final = 128
"""Messages that are remembered: requests until they are answered, notifications until others came.
Only what has lost its context is looked for among them."""

_LARGEST: Final = 64 * 1024
"""Bytes of a message whose parameters are remembered: all of them take 8 MiB at most."""


class Passing:
    """The requests and notifications that may be on their way through this process."""

    def __init__(self) -> None:
        self._received: OrderedDict[Span, Message] = OrderedDict()

    def add(self, message: Message, span: Span) -> None:
        """Remember a message that was received, with its span."""
        # One whose parameters are not remembered is still known by its id.
        self._received[span] = message if 0 < message.size <= _LARGEST else message.head()
        if len(self._received) > _MOST:
            self._received.popitem(last=False)

    def remove(self, span: Span) -> None:
        """Forget the request with this span: it is answered."""
        self._received.pop(span, None)

    def span_of(self, sent: Message) -> Span | None:
        """Return the span of the received message that looks most like one that is sent.

        The parameters are the same, or at least the id is and no other message has it.
        """
        alike = [
            (span, received)
            for span, received in list(self._received.items())
            if received.method == sent.method
        ]
        for span, received in alike:
            if received.id == sent.id and _same(received, sent):
                return span
        for span, received in alike:
            if _same(received, sent):
                return span
        with_id = [span for span, received in alike if received.id == sent.id is not None]
        return with_id[0] if len(with_id) == 1 else None


def _same(one: Message, other: Message) -> bool:
    return dict(_without_meta(one.params)) == dict(_without_meta(other.params))


def _without_meta(params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in params.items() if key != "_meta")
