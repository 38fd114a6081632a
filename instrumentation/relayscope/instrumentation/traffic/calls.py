"""Calls: requests whose answers have not crossed their channel yet."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson
from opentelemetry.trace import Span

from .level import Level
from .message import ID_TYPES, Message, RequestId, short_id

MOST_OPEN: Final = 4096
"""Calls of one direction of a channel that may be open; a peer may never answer any."""

_MOST_GIVEN_UP: Final = 64
_MOST_OF_AN_ID: Final = 16
"""Ids of one direction of a channel whose calls are remembered after they were given up, and the
calls of one id."""


class Left(NamedTuple):
    """The time at which a call's maker stopped waiting for its answer, and the sign of it."""

    time: int
    """Nanoseconds since the epoch."""
    error_type: str


class Refusal(NamedTuple):
    """The transport's word on a message to which no answer came."""

    error_type: str
    description: str = ""
    """More than the type says, as far as it is known."""


@dataclass(slots=True, eq=False)
class Call:
    """A request whose answer has not crossed the channel yet.

    Attributes:
        span: CLIENT for a request this process sent, SERVER for one it received; not recording
            where the level asks for failed calls only.
        level: Of the request.
        time: Time at which it crossed; nanoseconds since the epoch.
        carried: True if it was sent with context that was not there before.
        id_reused: True if another call with its id was open when it was closed, so that it was
            paired with its answer by order alone.
        is_over: True if its span has ended.
        is_unseen: True if its answer may have crossed while nothing was recorded of the channel.
        left: Time and way in which its maker was seen to stop waiting for it.
        refusal: The reason for which no answer comes, unless one comes all the same.
        parent_id: The id of the span that its own is a child of, of a call that is made here.
    """

    request: Message
    target: str
    span: Span
    level: Level
    time: int
    carried: bool = False
    id_reused: bool = False
    is_over: bool = False
    is_unseen: bool = False
    left: Left | None = None
    refusal: Refusal | None = None
    parent_id: int = 0


class Added(NamedTuple):
    """The outcome of adding a call."""

    id_reused: bool
    """True if another call with the same id is open."""
    crowded_out: Call | None
    """The oldest call, which had to make room."""
    unseen: Sequence[Call] = ()
    """Calls with the same id whose answers may have crossed unseen."""


_ADDED: Final = Added(id_reused=False, crowded_out=None)


class OpenCalls:
    """Open calls of one direction, by request id; first in, first out where an id is reused."""

    def __init__(self) -> None:
        self._by_id: dict[RequestId, list[Call]] = {}
        self._given_up: OrderedDict[RequestId, list[Call]] = OrderedDict()
        self._open = 0
        self.notifications = 0
        """Number of notifications that could still be answered wrongly."""
        self._are_unseen = False

    def __len__(self) -> int:
        """Return how many calls are open."""
        return self._open

    def see_answers(self, *, seen: bool) -> None:
        """Say whether answers are looked at from now on; if not, what is open may be answered."""
        self._are_unseen = not seen
        if not seen:
            for calls in list(self._by_id.values()):
                for call in calls:
                    call.is_unseen = True

    def add(self, identifier: RequestId, call: Call) -> Added:
        """Remember a call; where too many are open, give up the oldest."""
        crowded_out: Call | None = None
        if self._open >= MOST_OPEN:
            oldest = next(iter(self._by_id.values()))[0]
            if oldest.request.id is not None:
                crowded_out = self.give_up(oldest.request.id)
        self._open += 1
        call.is_unseen = self._are_unseen
        # Numbers that are equal are one id, as they are to JSON: 1 and 1.0.
        key = identifier if type(identifier) is int else short_id(identifier)
        calls = self._by_id.get(key)
        if calls is None:
            self._by_id[key] = [call]
            return _ADDED if crowded_out is None else Added(False, crowded_out)
        if all(each.is_unseen for each in calls):
            self._by_id[key] = [call]
            self._open -= len(calls)
            return Added(False, crowded_out, calls)
        calls.append(call)
        return Added(id_reused=True, crowded_out=crowded_out)

    def get(self, identifier: RequestId) -> Call | None:
        """Return the newest call with this id without closing it."""
        calls = self._by_id.get(short_id(identifier))
        return calls[-1] if calls else None

    def known(self, identifier: RequestId) -> Call | None:
        """Return the newest call with this id, be it open or given up, and leave it so."""
        given_up = self._given_up.get(short_id(identifier))
        return self.get(identifier) or (given_up[-1] if given_up else None)

    def take(
        self, identifier: RequestId, working_for: Callable[[], Span] | None = None
    ) -> Call | None:
        """Close the oldest call with this id, which is of one type: `"7"` is not 7.

        Args:
            identifier: The id.
            working_for: Tells the span of the one to close, where several have the id.
        """
        key = identifier if type(identifier) is int else short_id(identifier)
        calls = self._by_id.get(key)
        if calls is None:
            return None
        self._open -= 1
        if len(calls) == 1:
            del self._by_id[key]
            return calls[0]
        own = working_for() if working_for is not None else None
        call = next((each for each in calls if each.span is own), calls[0])
        calls.remove(call)
        call.id_reused = True
        return call

    def give_up(self, identifier: RequestId) -> Call | None:
        """Close the oldest call with this id, but know it should an answer come after all."""
        call = self.take(identifier)
        if call is not None:
            self._remember(short_id(identifier), call)
        return call

    def give_up_call(self, call: Call) -> bool:
        """Close this call, and know it should an answer come after all; False if it is closed."""
        identifier = call.request.id
        calls = None if identifier is None else self._by_id.get(identifier)
        if identifier is None or calls is None or call not in calls:
            return False
        calls.remove(call)
        self._open -= 1
        if not calls:
            del self._by_id[identifier]
        self._remember(identifier, call)
        return True

    def _remember(self, identifier: RequestId, call: Call) -> None:
        # A relay that several clients speak through may reuse an id while its calls are open.
        calls = self._given_up.setdefault(identifier, [])
        calls.append(call)
        del calls[:-_MOST_OF_AN_ID]
        if len(self._given_up) > _MOST_GIVEN_UP:
            self._given_up.popitem(last=False)

    def take_given_up(self, identifier: RequestId) -> Call | None:
        """Return the oldest call with this id that was given up, once."""
        identifier = short_id(identifier)
        calls = self._given_up.get(identifier)
        if calls is None:
            return None
        call = calls.pop(0)
        if not calls:
            del self._given_up[identifier]
        return call

    def alike(self, identifier: RequestId) -> Call | None:
        """Return the oldest open call whose id is written as this one, but is of the other type."""
        other = _other_type(identifier)
        calls = None if other is None else self._by_id.get(other)
        return calls[0] if calls else None

    def older_than(self, time: int) -> Iterator[Call]:
        """Go through the open calls from before a time."""
        return (call for call in self._heads() if call.time < time)

    def _heads(self) -> Iterator[Call]:
        """Go through the oldest call of each id, in the order in which the ids were first used."""
        # A copy: another thread may open and close calls meanwhile.
        return (calls[0] for calls in list(self._by_id.values()) if calls)

    def __iter__(self) -> Iterator[Call]:
        """Go through the open calls."""
        # A copy, as above.
        return (call for calls in list(self._by_id.values()) for call in list(calls))

    def drain(self) -> Iterator[Call]:
        """Close every call, oldest id first, but know it should an answer come after all."""
        self._open = 0
        while self._by_id:
            identifier = next(iter(self._by_id))
            for call in self._by_id.pop(identifier):
                self._remember(identifier, call)
                yield call


def _other_type(identifier: RequestId) -> RequestId | None:
    """Return a number for the string that spells it as JSON does, and the string for a number."""
    if not isinstance(identifier, str):
        return str(identifier)
    try:
        number = orjson.loads(identifier)
    except ValueError:
        return None
    return number if type(number) in ID_TYPES and str(number) == identifier else None
