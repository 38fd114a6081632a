"""A result as the model received it: the contents of a tool's result, a prompt, a resource."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from relayscope.collector.query.tokens import of_image
from relayscope.collector.render.labels import count
from relayscope.collector.text.quantities import size_text

_IMAGES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""Images that are only images: SVG is a document."""

_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_LEFT_OUT: Final = re.compile(r"\[BINARY:([^:\]]+):(\d+):([0-9a-f]+)(?::(\d{1,5})x(\d{1,5}))?\]")
"""The marker of binary content that was not kept."""

_MOST: Final = 100
"""Contents that are shown."""

_MOST_CHARACTERS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Content:
    """One piece of a result.

    Attributes:
        kind: Its `type`: `text`, `image`, `resource`, ...
        about: Its role, URI or media type.
        text: Its text.
        image: A `data:` URI of an image that can be shown.
        note: A remark on what is not shown, and why.
    """

    kind: str
    about: str = ""
    text: str = ""
    image: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """All contents of a result, and whether it says that the tool failed."""

    contents: tuple[Content, ...]
    is_error: bool = False
    more: int = 0


def received(text: str) -> Received | None:
    """Return what a result gives to a model; None if the text is no result, or has no contents."""
    try:
        message = json.loads(text, strict=False)
        result = message["result"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    if not isinstance(result, dict):
        return None
    pieces = [*_of_tool(result), *_of_prompt(result), *_of_resource(result)]
    if (structured := result.get("structuredContent")) is not None:
        pieces.append(Content("structured", text=_cut(json.dumps(structured, ensure_ascii=False))))
    if not pieces:
        return None
    return Received(
        tuple(pieces[:_MOST]), result.get("isError") is True, max(0, len(pieces) - _MOST)
    )


def _of_tool(result: dict[str, Any]) -> list[Content]:
    return [_content(one) for one in _list(result.get("content"))]


def _of_prompt(result: dict[str, Any]) -> list[Content]:
    return [
        _content(message.get("content"), _text(message.get("role")))
        for message in _list(result.get("messages"))
        if isinstance(message, dict)
    ]


def _of_resource(result: dict[str, Any]) -> list[Content]:
    return [_resource(one, "resource") for one in _list(result.get("contents"))]


def _content(one: object, role: str = "") -> Content:
    if not isinstance(one, dict):
        return Content("not a content", role, note=_cut(json.dumps(one, ensure_ascii=False)))
    kind = _text(one.get("type")) or "without a type"
    media_type = _text(one.get("mimeType"))
    match kind:
        case "text":
            return Content(kind, role, text=_cut(_text(one.get("text"))))
        case "image" | "audio":
            return _binary(kind, " ".join(filter(None, [role, media_type])), one.get("data"))
        case "resource":
            return _resource(one.get("resource"), kind)
        case "resource_link":
            return Content(kind, _text(one.get("uri")), text=_cut(_text(one.get("description"))))
    return Content(kind, role, note=_cut(json.dumps(one, ensure_ascii=False)))


def _resource(one: object, kind: str) -> Content:
    if not isinstance(one, dict):
        return Content(kind, note="not an object")
    about = " ".join(filter(None, [_text(one.get("uri")), _text(one.get("mimeType"))]))
    if "blob" in one:
        return _binary(kind, about, one["blob"])
    return Content(kind, about, text=_cut(_text(one.get("text"))))


def _binary(kind: str, about: str, data: object) -> Content:
    given = data if isinstance(data, str) else ""
    if left_out := _LEFT_OUT.fullmatch(given):
        media_type, size, digest, *sides = left_out.groups()
        pixels = f", {_pixels(*map(int, sides))}" if all(sides) else ""
        return Content(
            kind,
            about,
            note=f"{media_type}, {size_text(int(size[:12]))}{pixels}, SHA-256 {digest}…: not kept "
            "(RELAYSCOPE_KEEP_BINARY=true keeps it)",
        )
    media_type = next((known for known in _IMAGES if known in about.split()), None)
    if media_type and _BASE64.fullmatch(given):
        return Content(kind, about, image=f"data:{media_type};base64,{''.join(given.split())}")
    return Content(kind, about, note=f"{len(given):,} characters that are not shown")


def _pixels(width: int, height: int) -> str:
    return (
        f"{width} \N{MULTIPLICATION SIGN} {height} px ≈ {count(of_image(width, height), 'token')}"
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
