"""The questions under `/api/`, described as OpenAPI 3.1 does."""

from __future__ import annotations

from dataclasses import fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import click

from relayscope.collector.page.list_filter import MOST, USUAL
from relayscope.collector.query.filters import FILTERS
from relayscope.collector.query.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from relayscope.collector.query.list_kind import ListKind

CHARACTERS: Final = 100_000
"""Of a text, where the address does not say how many."""

MOST_CHARACTERS: Final = 2_000_000

_TEXT: Final = {"type": ["string", "null"]}
_COUNT: Final = {"type": ["integer", "null"]}
_TIME: Final = {"type": ["string", "null"], "format": "date-time"}
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "time": _TIME,
    "start_time": _TIME,
    "trace_id": {"type": ["string", "null"], "format": "uuid"},
    "components": {"type": ["array", "null"], "items": {"type": "string"}},
    "attributes": {"type": ["object", "null"]},
    "time_unix_nano": {"type": ["number", "null"]},
    **dict.fromkeys(("duration", "waited"), _TEXT | {"description": "as PostgreSQL writes it"}),
    **dict.fromkeys(
        ("spans", "errors", "messages", "odd_messages", "error_code", "size", "severity_number"),
        _COUNT,
    ),
}
"""Types of the columns that hold no text."""


_SIDES: Final = ("left", "right")
_REQUIRED: Final = {"required": True}
_DIFFERENCE: Final = ("path", "left", "right", "difference")
_COST: Final = ("view", "component", "peer", "tool", "bytes", "tokens", "trace_id")
_PROBLEM: Final = tuple(field.name for field in fields(Problem))


def description(lists: Mapping[str, ListKind]) -> dict[str, Any]:
    """Return the document.

    Args:
        lists: Each by the last part of its path.
    """
    paths = {f"/api/{path}": {"get": _list(path, kind)} for path, kind in lists.items()}
    times = [_parameter(name, FILTERS[name]) for name in ("since", "until")]
    both = [_query(side, "Which two.", {"type": "string"}) | _REQUIRED for side in _SIDES]
    by_method = _parameter("method", FILTERS["method"])
    for path, about, parameters, columns in (
        ("stats", "What was stored, who called whom, and what is missing", times, ("view",)),
        ("problems", "What is wrong, the most severe first", times, _PROBLEM),
        ("cost", "What definitions and results of tools come to", times, _COST),
        ("pipeline", "What is stored and missing, and how long it is kept", times, ("view",)),
        ("diff", "In what two messages differ, by their ids", both, _DIFFERENCE),
        (
            "peers",
            "What one peer or component sends and the other does not",
            [*both, by_method, *times],
            ("method", "occasion", "kind", *_DIFFERENCE),
        ),
    ):
        rows = {"type": "array", "items": {"type": "object", "required": list(columns)}}
        answer = {"type": "object", "properties": {"rows": rows}, "required": ["rows"]}
        paths[f"/api/{path}"] = {"get": _get(about, parameters, answer)}
    trace_id = {"name": "trace_id", "in": "path", "required": True, "schema": {"type": "string"}}
    parts = {part: {"type": "array"} for part in ("spans", "messages", "logs")}
    paths["/api/trace/{trace_id}"] = {
        "get": _get("All of a trace", [trace_id], {"type": "object", "properties": parts})
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "relayscope", "version": version("relayscope")},
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }


def _list(path: str, kind: ListKind) -> dict[str, Any]:
    parameters = [_parameter(name, FILTERS[name]) for name in kind.filters]
    if kind.sorts:
        choices = {"type": "string", "enum": ["time", *kind.sorts], "default": "time"}
        parameters.append(_query("sort", "By what the greatest come first.", choices))
    if kind.orders:
        choices = {"type": "string", "enum": list(kind.orders), "default": kind.orders[0]}
        parameters.append(_query("order", "Whether the least, or the oldest, come first.", choices))
    limit = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
    parameters.append(_query("limit", "Rows at most.", limit))
    if kind.texts:
        schema = {"type": "integer", "maximum": MOST_CHARACTERS, "default": CHARACTERS}
        parameters.append(
            _query("characters", "Of each text at most; one of as many may be cut.", schema)
        )
    row = {
        "type": "object",
        "properties": {name: _TYPES.get(name, _TEXT) for name in kind.columns},
        "required": list(kind.columns),
    }
    answer = {
        "type": "object",
        "properties": {
            "rows": {"type": "array", "items": row},
            "next": _TEXT | {"description": "the address of what comes after them"},
            "looked_back_to": _TIME
            | {"description": "what is beyond it was not looked at, because that takes too long"},
            "characters": {"type": "integer"},
        },
        "required": ["rows", "next", "looked_back_to", "characters"],
    }
    return _get(f"The newest rows of what `relayscope {path}` lists", parameters, answer)


def _parameter(name: str, option: Mapping[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "boolean" if option.get("is_flag") else "string"}
    if isinstance(option.get("type"), click.Choice):
        schema["enum"] = list(option["type"].choices)
    if option.get("multiple"):
        schema = {"type": "array", "items": schema}
    return _query(name, option["help"].removesuffix(" (*)"), schema)


def _query(name: str, about: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": about, "schema": schema}


def _get(
    about: str, parameters: Iterable[Mapping[str, Any]], answer: Mapping[str, Any]
) -> dict[str, Any]:
    error = {
        "type": "object",
        "properties": {"error": {"type": "string"}},
        "required": ["error"],
    }
    return {
        "summary": about,
        "parameters": list(parameters),
        "responses": {
            "200": {"description": about, "content": {"application/json": {"schema": answer}}},
            "4XX": {
                "description": "What is wrong with the address, in words",
                "content": {"application/json": {"schema": error}},
            },
        },
    }
