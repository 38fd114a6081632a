"""One JSON-RPC message, as far as tracing needs to understand it.

The forms are those of JSON-RPC 2.0 section 4 and 5, read tolerantly: broken peers leave out
`jsonrpc`, answer with `id: null` or without an id, and send both `result` and `error: null`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

import orjson

from relayscope.conventions.attributes import LONGEST_TARGET

from .long_text import MOST_KEPT, LongText, Text
from .partial_parse import partially_parsed

RequestId = int | float | str

KNOWN_METHODS: Final = frozenset(
    {
        "completion/complete",
        "elicitation/create",
        "initialize",
        "logging/setLevel",
        "notifications/cancelled",
        "notifications/elicitation/complete",
        "notifications/initialized",
        "notifications/message",
        "notifications/progress",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
        "notifications/roots/list_changed",
        "notifications/subscriptions/acknowledged",
        "notifications/tasks/status",
        "notifications/tools/list_changed",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/subscribe",
        "resources/templates/list",
        "resources/unsubscribe",
        "roots/list",
        "sampling/createMessage",
        "server/discover",
        "subscriptions/listen",
        "tasks/cancel",
        "tasks/get",
        "tasks/list",
        "tasks/result",
        "tasks/update",
        "tools/call",
        "tools/list",
    }
)
"""Methods of the MCP revisions 2024-11-05 to 2026-07-28. Only these get trace context: a server
that dispatches on other names may pass all of `params` to a function as keyword arguments."""

_WITH_TARGET: Final = ("tools/call", "prompts/get")
_SMALL: Final = 1024
"""Bytes of a message that is remembered as it is: taking it apart would cost more than it saves."""

_LARGE: Final = 1024 * 1024
_STRETCH: Final = 4096
_MOST_ELEMENTS: Final = 100_000
"""Bytes of a text that is always parsed, and elements of a larger one, up to which it is too: each
takes up to 232 bytes. A picture, which is one element, is parsed; numbers by the million are not.
"""

_LONGEST_ID: Final = 128
_LONGEST_METHOD: Final = 256
_LONGEST_URI: Final = 4096
_LONGEST_TRACEPARENT: Final = 256
_LONGEST_DESCRIPTION: Final = 4096
"""Characters that are remembered of what a peer chooses; a traceparent of version 00 has 55."""

_LARGEST_BATCH: Final = 1000
"""Messages of a batch that get a span; a peer may send any number."""

_LOOKS_TYPED: Final = re.compile(r'"|-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z')
"""Strings that would be taken for a number, or for one in quotes."""

ID_TYPES: Final = frozenset({int, float, str})
"""Exactly these: a bool is an int to Python, and no id."""


class Kind(StrEnum):
    """The kind of a message; the values are those of `relayscope.message.kind`."""

    REQUEST = "request"
    NOTIFICATION = "notification"
    RESULT = "result"
    ERROR = "error"
    BATCH = "batch"
    UNPARSABLE = "unparsable"

    # Enum's own is written in Python, and each message is looked up by its kind.
    __hash__ = str.__hash__


# Looked up once: see `traffic/level.py`.
_BATCH: Final = Kind.BATCH
_ERROR: Final = Kind.ERROR
_NOTIFICATION: Final = Kind.NOTIFICATION
_REQUEST: Final = Kind.REQUEST
_RESULT: Final = Kind.RESULT
_UNPARSABLE: Final = Kind.UNPARSABLE


ANSWERS: Final = (Kind.RESULT, Kind.ERROR)


@dataclass(slots=True)
class Message:
    """The parts of a message that decide where it belongs.

    Attributes:
        id: None when absent, null, or of a type that JSON-RPC does not allow.
        params: The request's parameters when they are an object, else empty.
        meta: `params._meta`, empty when there is none.
        takes_meta: True if `params._meta` can be set without changing what the message says.
        target: The name of the tool or prompt that a request is about, else empty.
        parts: The messages of a batch.
        size: Bytes of its text, 0 where it was never text here.
        has_strange_id: True if it has an id of a type that JSON-RPC does not allow.
        is_json: True of what is JSON all the same, where the kind is UNPARSABLE.
    """

    kind: Kind
    id: RequestId | None = None
    method: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    takes_meta: bool = False
    result: Any = None
    error_code: int | None = None
    error_message: str = ""
    error_data: Any = None
    target: str = ""
    parts: tuple["Message", ...] = ()
    size: int = 0
    has_strange_id: bool = False
    is_json: bool = False

    @property
    def request_ids(self) -> tuple[RequestId, ...]:
        """The ids of the requests in it: its own, or those of a batch."""
        found = (part.id for part in self.parts or (self,) if part.kind is _REQUEST)
        return tuple(identifier for identifier in found if identifier is not None)

    @property
    def progress_token(self) -> object:
        """The token by which progress names this request, None if it has none."""
        return self.meta.get("progressToken")

    @property
    def is_tool_error(self) -> bool:
        """True if a tool says that it failed (`isError: true`)."""
        return isinstance(self.result, dict) and self.result.get("isError") is True

    def parameter(self, name: str) -> str | None:
        """Return the parameter called `name` when it is a string."""
        value = self.params.get(name)
        return value if isinstance(value, str) else None

    @classmethod
    def of_text(cls, text: Text) -> "Message":
        """Read a message from the wire. Never raises: what cannot be read is UNPARSABLE."""
        if isinstance(text, LongText) or (len(text) > _LARGE and not _is_parsed(text)):
            members = partially_parsed(text)
            partial = cls.of_json(members, len(text))
            partial.takes_meta = False
            partial.is_json &= bool(members)
            return partial
        try:
            data = orjson.loads(text)
        except ValueError:
            return cls(_UNPARSABLE)
        return cls.of_json(data, len(text))

    def head(self) -> "Message":
        """Return the part of a request that is remembered until it is answered."""
        if 0 < self.size <= _SMALL:
            return self
        uri = self.parameter("uri")
        meta: dict[str, Any] = {}
        traceparent = self.meta.get("traceparent")
        if isinstance(traceparent, str) and len(traceparent) <= _LONGEST_TRACEPARENT:
            meta["traceparent"] = traceparent
        token = self.progress_token
        if type(token) in ID_TYPES and not (isinstance(token, str) and len(token) > _LONGEST_ID):
            meta["progressToken"] = token
        return replace(
            self,
            id=short_id(self.id),
            method=self.method[:_LONGEST_METHOD],
            params={} if uri is None else {"uri": uri[:_LONGEST_URI]},
            meta=meta,
        )

    @classmethod
    def of_json(cls, data: Any, size: int = 0) -> "Message":
        """Read a message from parsed JSON, of a text of this many bytes. Never raises."""
        if not isinstance(data, dict):
            return cls._batch(data) if isinstance(data, list) else cls(_UNPARSABLE, is_json=True)
        identifier = data.get("id")
        if type(identifier) not in ID_TYPES and identifier is not None:
            message = cls.of_json(data | {"id": None}, size)
            message.has_strange_id = True
            return message
        method = data.get("method")
        if isinstance(method, str):
            return cls.initiating(method, identifier, data.get("params"), size)
        error = data.get("error")
        if isinstance(error, dict):
            return cls.error(identifier, error.get("code"), error.get("message"), error.get("data"))
        if "result" in data:
            return cls(_RESULT, identifier, result=data["result"])
        return cls(_UNPARSABLE, is_json=True)

    @classmethod
    def _batch(cls, items: list[Any]) -> "Message":
        parts = [cls.of_json(item) for item in items[:_LARGEST_BATCH] if isinstance(item, dict)]
        # A program that prints a list has not said anything in JSON-RPC.
        if all(part.kind is _UNPARSABLE for part in parts):
            return cls(_UNPARSABLE, is_json=True)
        for part in parts:
            # The text of a batch is sent as it is.
            part.takes_meta = False
        return cls(_BATCH, parts=tuple(parts))

    @classmethod
    def initiating(
        cls, method: str, identifier: RequestId | None, params: Any, size: int = 0
    ) -> "Message":
        """Return a request, or a notification where there is no id."""
        has_object = isinstance(params, dict)
        meta = params.get("_meta") if has_object else None
        target = params.get("name") if has_object and method in _WITH_TARGET else None
        return cls(
            _NOTIFICATION if identifier is None else _REQUEST,
            identifier,
            method,
            params if has_object else {},
            meta if isinstance(meta, dict) else {},
            takes_meta=(params is None or has_object) and (meta is None or isinstance(meta, dict)),
            target=target[:LONGEST_TARGET] if isinstance(target, str) else "",
            size=size,
        )

    @classmethod
    def error(
        cls, identifier: RequestId | None, code: Any, message: Any, data: Any = None
    ) -> "Message":
        """Return an error answer; a code or message of the wrong type is left out."""
        return cls(
            _ERROR,
            id=identifier,
            error_code=code if isinstance(code, int) else None,
            error_message=message[:_LONGEST_DESCRIPTION] if isinstance(message, str) else "",
            error_data=data,
        )


_Id = TypeVar("_Id", RequestId, RequestId | None)


def short_id(identifier: _Id) -> _Id:
    """Return what an id is remembered as: itself, or its digest if it is very long."""
    if isinstance(identifier, str) and len(identifier) > _LONGEST_ID:
        digest = hashlib.sha256(identifier.encode("utf-8", "surrogatepass"))
        return f"sha256:{digest.hexdigest()}"
    return identifier


def id_text(identifier: RequestId) -> str:
    """Return an id as text that tells its type: 35 of the number, "35" in quotes of the string.

    Other strings have quotes only if they begin with one, so that no two ids have one text.
    """
    text = str(short_id(identifier))
    if isinstance(identifier, str) and _LOOKS_TYPED.match(text):
        return json.dumps(text, ensure_ascii=False)
    return text


def is_whole(text: str | bytes) -> bool:
    """Return whether a text is JSON, from its beginning to its end; False where it is too large."""
    if len(text) > _LARGE and not _is_parsed(text):
        return False
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


def _is_parsed(text: str | bytes) -> bool:
    """Return whether a large text is parsed: its elements are few."""
    if len(text) > MOST_KEPT:
        return False
    marks = (",", "[", "{") if isinstance(text, str) else (b",", b"[", b"{")
    return sum(_number(text, mark) for mark in marks) <= _MOST_ELEMENTS


def _number(text: Any, mark: Any) -> int:
    """Return how many of a mark a text has: looking for one takes a thirtieth of counting them."""
    number = 0
    at = text.find(mark)
    while at >= 0:
        number += text.count(mark, at, at + _STRETCH)
        at = text.find(mark, at + _STRETCH)
    return number
