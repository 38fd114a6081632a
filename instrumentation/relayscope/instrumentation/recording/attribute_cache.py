"""A cache of attributes: those of spans and records that differ in their id alone.

Making them, and looking through them for secrets, took 6 us for each message. A relay makes the
same few calls all day, so they are looked through once and then copied, which takes 0.5 us.
"""

from collections.abc import Callable
from typing import Final

from opentelemetry.trace import SpanKind

from relayscope.conventions.attributes import (
    CHANNEL_ID,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    MESSAGE_ODD,
    PEER,
)
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.crossing import Crossing
from relayscope.instrumentation.traffic.message import KNOWN_METHODS, Kind, Message, RequestId
from relayscope.sanitizer import Sanitizer, Value

from . import semconv

# Looked up once: see `traffic/level.py`.
_CLIENT: Final = SpanKind.CLIENT

_MOST: Final = 1024
_HARMLESS: Final = range(1_000_000)
"""Numbers that identify no person: a longer one may be a card's, or a telephone's."""

_RECURRING: Final = frozenset(each for each in KNOWN_METHODS if not each.startswith("resources/"))
"""Methods whose calls are all alike, but for their target. Those about resources have the
resource's URI; what MCP does not know can be of any length."""

_OF_RECORDS: Final = (Kind.REQUEST, Kind.NOTIFICATION, Kind.RESULT)

_Key = tuple[object, ...]


class AttributeCache:
    """Remembers attributes in which the sanitizer found nothing, of a bounded number of kinds."""

    def __init__(self, sanitizer: Sanitizer) -> None:
        self._sanitizer = sanitizer
        self._clean: dict[_Key, dict[str, Value]] = {}

    def of_span(
        self, channel: Channel, message: Message, kind: SpanKind
    ) -> dict[str, Value] | None:
        """Return the attributes of a request's or notification's span, but for the request's id.

        Returns:
            A new dictionary; None if they do not recur, or hold what has to be taken out.
        """
        if message.method not in _RECURRING:
            return None
        key = (
            channel.id,
            channel.peer,
            channel.protocol_version,
            channel.session_id,
            kind is _CLIENT,
            message.method,
            message.target,
        )
        return self._copy(
            key,
            lambda: (
                semconv.message_attributes(_anonymous(message))
                | semconv.channel_attributes(channel, kind)
            ),
        )

    def of_record(self, crossing: Crossing) -> dict[str, Value] | None:
        """Return the attributes of a message's record that others on its channel have as well.

        They are all but the request's id, the size, the sequence and the digest.

        Returns:
            As for `of_span`.
        """
        message, channel, call = crossing.message, crossing.channel, crossing.answers
        method = message.method if call is None else call.request.method
        if crossing.odd is not None or message.kind not in _OF_RECORDS or method not in _RECURRING:
            return None
        target = message.target if call is None else call.target
        key = (channel.id, channel.peer, crossing.direction, message.kind, method, target)
        return self._copy(key, lambda: record_attributes(crossing, _anonymous(message)))

    def _copy(self, key: _Key, make: Callable[[], dict[str, Value]]) -> dict[str, Value] | None:
        clean = self._clean.get(key)
        if clean is None:
            clean = make()
            if self._sanitizer.attributes(clean) is not clean:
                return None
            if len(self._clean) >= _MOST:
                self._clean.clear()
            self._clean[key] = clean
        return clean.copy()


def record_attributes(crossing: Crossing, message: Message) -> dict[str, Value]:
    """Return what a message's record says of it, where it crossed, and what it answers."""
    attributes = semconv.message_attributes(message)
    if crossing.answers is not None:
        call = crossing.answers
        attributes |= semconv.method_attributes(call.request.method, call.target)
    channel = crossing.channel
    attributes[MESSAGE_DIRECTION] = crossing.direction.value
    attributes[MESSAGE_KIND] = message.kind.value
    attributes[CHANNEL_ID] = channel.id
    attributes[PEER] = channel.peer
    attributes.update(channel.transport)
    if crossing.odd is not None:
        attributes[MESSAGE_ODD] = crossing.odd.value
    return attributes


def is_harmless(identifier: RequestId) -> bool:
    """Return whether a request's id can be nothing but that."""
    return isinstance(identifier, int) and identifier in _HARMLESS


def _anonymous(message: Message) -> Message:
    return Message(
        message.kind, method=message.method, params=message.params, target=message.target
    )
