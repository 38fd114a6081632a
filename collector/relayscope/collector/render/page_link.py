"""Addresses on the page of what a terminal shows; a terminal that knows links makes them ones."""

from __future__ import annotations

from urllib.parse import quote


def trace_address(page: str, trace_id: str | None, at: str | None = None) -> str:
    """Return where a trace is on the page, or one thing in it; empty where there is no page.

    Args:
        page: The address of the page; empty where none is.
        trace_id: 32 hex digits, or a UUID.
        at: The span's or the message's id.
    """
    if not page or not trace_id:
        return ""
    place = f"?at={quote(at, safe='')}" if at else ""
    return f"{page}/trace/{quote(trace_id.replace('-', ''), safe='')}{place}"


def linked(style: str, address: str) -> str:
    """Return a style of rich that leads there, too."""
    return f"{style} link {address}".strip() if address else style
