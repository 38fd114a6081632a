"""Messages as the two majors of the `mcp` SDK hold them, and as their transports write them.

What a transport writes is a function of the message alone, so the text of a message that is about
to be sent can be known without waiting for the transport.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from relayscope.instrumentation.traffic.message import Kind, Message

Render = Callable[[Any], str]
"""From the SDK's message to the text that a transport writes for it."""


class Dialect(NamedTuple):
    """One major of the SDK.

    Attributes:
        root: From a message to the model that has `method`, `id`, `params`, ...
        exclude: The option with which its transports leave out what is not set.
    """

    root: Callable[[Any], Any]
    exclude: str

    def as_json(self, message: Any) -> str:
        """Render as pydantic does: stdio, and everything that servers write over HTTP."""
        text: str = message.model_dump_json(by_alias=True, **{self.exclude: True})
        return text

    def as_httpx_json(self, message: Any) -> str:
        """Render as httpx does with `json=`: clients over HTTP (httpx, _content.encode_json)."""
        return json.dumps(
            self._dumped(message), ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )

    def as_python_json(self, message: Any) -> str:
        """Render as `json.dumps` does by default: the client over a WebSocket."""
        return json.dumps(self._dumped(message))

    def _dumped(self, message: Any) -> Any:
        return message.model_dump(by_alias=True, mode="json", **{self.exclude: True})


V1 = Dialect(root=lambda message: message.root, exclude="exclude_none")
V2 = Dialect(root=lambda message: message, exclude="exclude_unset")


def message_of(root: Any, size: int = 0) -> Message:
    """Read one of the SDK's four message models, of a text of this many bytes."""
    method = getattr(root, "method", None)
    if isinstance(method, str):
        return Message.initiating(method, getattr(root, "id", None), root.params, size)
    error = getattr(root, "error", None)
    if error is not None:
        return Message.error(root.id, error.code, error.message, error.data)
    return Message(Kind.RESULT, id=root.id, result=root.result)
