"""Credentials for a collector in the environment, kept out of our logs.

A library's error text may quote an endpoint with its password, or a header; so may a collector.
"""

import functools
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote, unquote

from relayscope.conventions.environment import RELAYSCOPE_OPAMP_ENDPOINT

_OTLP: Final = "OTEL_EXPORTER_OTLP_"
_ENDPOINT: Final = "ENDPOINT"
_HEADERS: Final = "HEADERS"
_PROXIES: Final = frozenset({"http_proxy", "https_proxy", "all_proxy", "grpc_proxy"})
_SHORTEST: Final = 4
"""Letters; what is shorter stands in any text."""

_SHORTEST_TOKEN: Final = 8
"""Letters; a header's value may be a word like `json`, too."""

_MARKER: Final = "[REDACTED:credentials]"


def without_credentials(text: str) -> str:
    """Return a text without what gives access: ours, and what the sanitizer finds."""
    from relayscope.instrumentation.runtime.shared_sanitizer import (  # noqa: PLC0415  # takes 0.1 s, and most forwarders have nothing to say
        shared_sanitizer,
    )

    for secret in _secrets():
        text = text.replace(secret, _MARKER)
    return shared_sanitizer().text(text)


@functools.cache
def _secrets() -> tuple[str, ...]:
    """Return the credentials in this process's environment, the longest first."""
    found = {
        spelt
        for secret in secrets_in(os.environ)
        for spelt in (secret, unquote(secret), quote(secret, safe=""))
        if len(secret) >= _SHORTEST
    }
    return tuple(sorted(found, key=len, reverse=True))


def secrets_in(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what gives access: users and passwords of URLs, their queries, and headers."""
    for name, value in environment.items():
        is_ours = name.startswith((_OTLP, RELAYSCOPE_OPAMP_ENDPOINT))
        if (is_ours and name.endswith(_ENDPOINT)) or name.lower() in _PROXIES:
            yield from _of_url(value)
        elif is_ours and name.endswith(_HEADERS):
            yield from _of_headers(value)


def _of_url(url: str) -> Iterator[str]:
    user_info, at, rest = url.strip().rpartition("://")[2].rpartition("@")
    if at:
        yield user_info + at
        yield from _words(user_info.partition(":")[2], "?#/@: ")
        yield b64encode(unquote(user_info).encode()).decode()
    _, _, query = rest.partition("?")
    for item in query.split("&"):
        yield item.rpartition("=")[2]


def _of_headers(headers: str) -> Iterator[str]:
    yield headers
    for header in headers.split(","):
        value = header.partition("=")[2].strip()
        # A scheme of authorization is no secret, and its own part is.
        words = _words(unquote(value or header), " ")
        yield from (word for word in words if len(word) >= _SHORTEST_TOKEN)


def _words(text: str, ends: str) -> Iterator[str]:
    """Yield a text, and what is between the places where somebody may have cut it."""
    yield text
    words = [text]
    for end in ends:
        words = [part for word in words for part in word.split(end)]
    yield from (word for word in words if word.lower() not in {"bearer", "basic"})
