"""Asks a collector about levels, over HTTP."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from relayscope.conventions.environment import RELAYSCOPE_COLLECTOR_TOKEN

from . import tls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relayscope.collector.config.settings import Settings

_PATH: Final = "/v1/levels"
_SECONDS: Final = 10.0
_MOST: Final = 16 * 2**20
_LONGEST_REASON: Final = 500


class Collector:
    """A collector that can be asked.

    Attributes:
        url: Where it is.
    """

    def __init__(self, url: str, token: str) -> None:
        """Name it.

        Raises:
            ValueError: The URL is none, or whom to trust cannot be read.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is no URL of a collector; write http://127.0.0.1:4318")
        self.url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        # Nobody is between us and this machine.
        direct = [ProxyHandler({})] if parts.hostname in {"127.0.0.1", "::1", "localhost"} else []
        self._opener = build_opener(*direct, HTTPSHandler(context=tls.context_for(parts.scheme)))

    @classmethod
    def of(cls, settings: Settings, url: str | None) -> Self:
        """Return the collector at a URL, or the one of the settings."""
        url = url or _url(settings)
        admins = [each.token.get_secret_value() for each in settings.tokens if each.role == "admin"]
        return cls(url, os.environ.get(RELAYSCOPE_COLLECTOR_TOKEN) or (admins[0] if admins else ""))

    @classmethod
    def asked_by(cls, settings: Settings, name: str) -> Self:
        """Return the one of the settings, asked with the token of that name, if there is one."""
        tokens = [one.token.get_secret_value() for one in settings.tokens if one.name == name]
        return cls(_url(settings), next(iter(tokens), ""))

    def set(self, wish: Mapping[str, Any]) -> None:
        """Ask for a level.

        Raises:
            ValueError: It was refused, or nobody answers.
        """
        self._ask("POST", "", json.dumps(wish).encode())

    def reset(self, about: Mapping[str, Any]) -> int:
        """End rules; return how many.

        Raises:
            ValueError: It was refused, or nobody answers.
        """
        return int(self._ask("DELETE", f"?{urlencode(about)}")["ended"])

    def list(self) -> dict[str, Any]:
        """Return which rules hold, and who has taken them.

        Raises:
            ValueError: It was refused, or nobody answers.
        """
        return self._ask("GET", "")

    def _ask(self, method: str, query: str, body: bytes | None = None) -> dict[str, Any]:
        headers = {**self._headers, "content-type": "application/json"}
        url = f"{self.url}{_PATH}{query}"
        request = Request(url, data=body, headers=headers, method=method)  # noqa: S310  # checked above
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                content: dict[str, Any] = json.loads(answer.read(_MOST))
        except HTTPError as error:
            with error:
                reason = error.read(_LONGEST_REASON).decode("utf-8", "replace").strip()
            raise ValueError(
                f"the collector at {self.url} says no ({error.code}): {reason}"
            ) from None
        except (URLError, TimeoutError, OSError, ValueError) as error:
            raise ValueError(self._silence(error)) from None
        return content

    def _silence(self, error: Exception) -> str:
        """Return what to tell of somebody who has not answered."""
        reason = getattr(error, "reason", error)
        advice = tls.advice(urlsplit(self.url).scheme, reason)
        if advice:
            return f"the collector at {self.url} cannot be asked: {advice}"
        return (
            f"no collector answers at {self.url} ({reason}): start `relayscope serve`, or say "
            "where it is with --collector"
        )


def _url(settings: Settings) -> str:
    scheme = "http" if settings.tls_certificate is None else "https"
    return f"{scheme}://{settings.http}"
