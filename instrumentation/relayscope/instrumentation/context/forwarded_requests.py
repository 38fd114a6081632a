"""Received messages that this process forwards while their context gets lost, or is another's.

A relay that reads in one thread and writes in another leaves no trace of which request it writes
for; one whose backend's session is owned by a task leaves a wrong one, because the task has the
context in which it was started. But relays pass messages on: one that is sent and looks like one
that was received is that one.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import islice
from typing import Any, Final

from opentelemetry.trace import Span

from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.message import Message

_MOST: Final = 128
"""Messages that are remembered: requests until they are answered, notifications until others come.
Only a message that may have lost its context is looked for among them."""

_MOST_CHANNELS: Final = 1024
"""Channels of which it is remembered for whom they were opened."""

_LARGEST: Final = 64 * 1024
"""Bytes of a message whose parameters are remembered: all of them take 8 MiB at most. A larger one,
or one of unknown size, is remembered by a sketch."""

_LONGEST: Final = 128
_MOST_ITEMS: Final = 16
_DEEPEST: Final = 2
"""Characters of a text, items of a container, and depth that a sketch keeps: 8 MiB in all at
most."""

_LONGEST_NAME: Final = 256
"""Characters of a name or URI that are compared, from its end."""


class Likeness(IntEnum):
    """Similarity of a message that is sent to one that was received."""

    NONE = 0
    ARGUMENTS = 1
    """The arguments are the same, and the names differ."""
    RENAMED = 2
    """The arguments are the same, and one name ends as the other, as a gateway prefixes it."""
    SAME = 3


# Looked up once: see `traffic/level.py`.
_NONE: Final = Likeness.NONE
_ARGUMENTS: Final = Likeness.ARGUMENTS
_RENAMED: Final = Likeness.RENAMED
_SAME: Final = Likeness.SAME


@dataclass(slots=True, eq=False)
class Received:
    """A message that may be on its way through this process.

    Attributes:
        message: The part of it that is remembered.
        is_sketch: True if that is less than its parameters.
        origin: Id of the channel that it came on.
        passed: Ids of the channels to which it was passed on.
    """

    message: Message
    span: Span
    is_sketch: bool
    origin: str
    passed: tuple[str, ...] = ()


class ForwardedRequests:
    """The requests and notifications that may be on their way through this process."""

    def __init__(self) -> None:
        self._received: OrderedDict[Span, Received] = OrderedDict()
        self._renamed: OrderedDict[str, str] = OrderedDict()
        """For each peer, what the names that it is sent differ by from those that were received:
        a gateway prefixes those of each backend in its own way."""
        self._origins: OrderedDict[str, str] = OrderedDict()
        """For each channel that was opened for a request, the channel that this came on: a gateway
        may keep a backend's session for each of its clients'. Empty if it carries others', too."""

    def add(self, message: Message, span: Span, origin: str) -> None:
        """Remember a message that was received, with its span and the id of its channel."""
        is_sketch = not 0 < message.size <= _LARGEST
        if is_sketch:
            message = replace(message.head(), params=_sketched(message.params))
        self._received[span] = Received(message, span, is_sketch, origin)
        if len(self._received) > _MOST:
            self._received.popitem(last=False)

    def remove(self, span: Span) -> None:
        """Forget the request with this span: it is answered."""
        self._received.pop(span, None)

    def get(self, span: Span) -> Received | None:
        """Return the message that was received with this span, if it is remembered."""
        return self._received.get(span)

    def instead_of(
        self, own: Received, sent: Message, channel: Channel, *, is_over: bool
    ) -> Span | None:
        """Return the span of the message that is sent, None if it is that of its own context.

        It is another message's if it is like that one, which was not passed on yet, and not like
        its own, or if its own was passed on already. A message without parameters is like many.

        Args:
            own: The message whose context it is sent in.
            sent: The message that is sent.
            channel: The channel that it is sent to.
            is_over: True if the span of the context has ended, so that it counts for less.
        """
        # What opens a session for a call is sent in its context, and does not pass it on.
        may_pass = own.message.method == sent.method
        if self._origins.get(channel.id) != own.origin:
            self._note_origin(own, channel)
        was_passed = may_pass and channel.id in own.passed
        if not was_passed:
            is_alone = len(self._received) == 1
            if is_alone or (may_pass and _likeness(own, sent) >= _RENAMED):
                if may_pass:
                    own.passed += (channel.id,)
                    if channel.peer not in self._renamed:
                        self._learn(own, sent, channel)
                return None
        # Mostly there are none: what is received is passed on at once.
        others = [
            each
            for each in list(self._received.values())
            if channel.id not in each.passed and each.message.method == sent.method
        ]
        found, likeness = self._best(others, sent, channel)
        is_enough = is_over or was_passed or any(key != "_meta" for key in sent.params)
        if found is None or likeness < _RENAMED or not is_enough:
            if may_pass and not was_passed:
                own.passed += (channel.id,)
            return None
        found.passed += (channel.id,)
        return found.span

    def span_of(self, sent: Message, channel: Channel, among: Collection[Span] = ()) -> Span | None:
        """Return the span of the received message that looks most like one that is sent.

        What has not been passed on to this channel comes first. Where nothing looks like it, one
        that has its id does, if no other has it.

        Args:
            sent: The message that is sent.
            channel: The channel that it is sent to.
            among: The only spans that it can be; empty if it can be any.
        """
        # A copy: another thread may receive meanwhile.
        alike = [
            each
            for each in list(self._received.values())
            if each.message.method == sent.method and (not among or each.span in among)
        ]
        found, likeness = self._best(alike, sent, channel)
        if found is None:
            with_id = [each for each in alike if each.message.id == sent.id is not None]
            if len(with_id) != 1:
                return None
            found = with_id[0]
        elif len(alike) == 1 and likeness >= _RENAMED and channel.peer not in self._renamed:
            self._learn(found, sent, channel)
        if self._origins.get(channel.id, found.origin) != found.origin:
            self._origins[channel.id] = ""
        found.passed += (channel.id,)
        return found.span

    def _best(
        self, received: Iterable[Received], sent: Message, channel: Channel
    ) -> tuple[Received | None, Likeness]:
        """Return what looks most like a message, the oldest of several, and how much it does."""
        renamed, origin = self._renamed.get(channel.peer), self._origins.get(channel.id)
        best: Received | None = None
        best_likeness, best_rank = _NONE, (False,) * 7
        for each in received:
            likeness = _likeness(each, sent)
            if likeness is _NONE:
                continue
            is_alike = likeness >= _RENAMED
            rank = (
                is_alike,
                is_alike and renamed is not None and _renaming(each.message, sent) == renamed,
                channel.id not in each.passed,
                each.origin == origin,
                not each.passed,
                likeness is _SAME,
                each.message.id == sent.id,
            )
            if best is None or rank > best_rank:
                best, best_likeness, best_rank = each, likeness, rank
        return best, best_likeness

    def _note_origin(self, own: Received, channel: Channel) -> None:
        """Remember for whom a channel was opened, from the first that is sent on it."""
        known = self._origins.setdefault(channel.id, own.origin)
        if known != own.origin:
            self._origins[channel.id] = ""
        if len(self._origins) > _MOST_CHANNELS:
            self._origins.popitem(last=False)

    def _learn(self, received: Received, sent: Message, channel: Channel) -> None:
        """Remember how names are changed on their way to a peer, from a message that went there."""
        renaming = _renaming(received.message, sent)
        if renaming is None:
            return
        self._renamed[channel.peer] = renaming
        if len(self._renamed) > _MOST:
            self._renamed.popitem(last=False)


def _likeness(received: Received, sent: Message) -> Likeness:
    message = received.message
    if message.method != sent.method:
        return _NONE
    params = _sketched(sent.params) if received.is_sketch else sent.params
    if message.params == params:
        return _SAME
    one, other = _said(message.params), _said(params)
    if one == other:
        return _SAME
    name, other_name = _name(one), _name(other)
    if one != other or name == other_name:
        return _NONE
    if _prefix(name, other_name) is not None:
        return _RENAMED
    return _ARGUMENTS if one else _NONE


def _said(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what parameters say; no arguments, and arguments that are empty, say the same."""
    return {
        key: value
        for key, value in params.items()
        if key != "_meta" and not (key == "arguments" and not value)
    }


def _sketched(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters without the middle of long texts and containers."""
    sketch: dict[str, Any] = _sketch(params, _DEEPEST)
    return sketch


def _sketch(value: Any, depth: int) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        return len(value), value[: _LONGEST // 2], value[-_LONGEST // 2 :]
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return len(value)
    if isinstance(value, list):
        return len(value), [_sketch(each, depth - 1) for each in value[:_MOST_ITEMS]]
    items = islice(value.items(), _MOST_ITEMS)
    return {key[:_LONGEST]: _sketch(each, depth - 1) for key, each in items}


def _name(said: dict[str, Any]) -> str:
    """Take the name out, as letters and digits: gateways change the characters between."""
    name = said.pop("name", None) or said.pop("uri", None)
    if not isinstance(name, str):
        return ""
    return "".join(filter(str.isalnum, name[-_LONGEST_NAME:].lower()))


def _renaming(received: Message, sent: Message) -> str | None:
    """Return how a name is changed on its way, as `_prefix` does."""
    return _prefix(_name({**received.params}), _name({**sent.params}))


def _prefix(name: str, other: str) -> str | None:
    """Return what the other name has added (`+`) or left out (`-`) at the beginning of a name.

    None if there is no name, or neither ends as the other does.
    """
    if not name or not other:
        return None
    if name.endswith(other):
        return f"-{name.removesuffix(other)}"
    return f"+{other.removesuffix(name)}" if other.endswith(name) else None
