"""The two that are compared, as an address names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relayscope.collector.page.errors import WrongAsk

if TYPE_CHECKING:
    from starlette.requests import Request


def sides(request: Request) -> tuple[str, str]:
    """Read both.

    Raises:
        WrongAsk: One of them is missing, or is no text that could be stored.
    """
    left, right = (request.query_params.get(side, "").strip() for side in ("left", "right"))
    if not left or not right:
        raise WrongAsk("two things are compared: the address names them as left and right")
    if "\0" in left + right:
        raise WrongAsk("left and right: this is no text that could be stored")
    return left, right
