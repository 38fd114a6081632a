"""Batches that a `Writer` stores, and their outcomes."""

from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

Row: TypeAlias = tuple[object, ...]
"""The values of one table row, in the order and form of `relayscope.storage.rows`."""


@dataclass(slots=True)
class Batch:
    """One OTLP request, decoded and sanitized, as table rows.

    Attributes:
        digest: 16 bytes that tell this request from every other: blake2b over its signal and its
            uncompressed bytes. A request with a digest that was stored before is not stored again.
        resources: Rows of `resource` that the records refer to, by id.
        scopes: Rows of `scope` that the records refer to, by id.
        spans: Rows of `span`.
        logs: Rows of `log`.
        points: Rows of `metric_point`.
    """

    digest: bytes
    resources: dict[UUID, Row] = field(default_factory=dict)
    scopes: dict[UUID, Row] = field(default_factory=dict)
    spans: list[Row] = field(default_factory=list)
    logs: list[Row] = field(default_factory=list)
    points: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """Outcome of one `Batch` after a successful `Writer.write`.

    Attributes:
        duplicate: The request had been stored before; nothing was written now.
        rejected: Number of its rows that PostgreSQL refused. All others are stored.
        reason: PostgreSQL's reason for the first of them, without any of its text; empty if there
            is none.
    """

    duplicate: bool = False
    rejected: int = 0
    reason: str = ""
