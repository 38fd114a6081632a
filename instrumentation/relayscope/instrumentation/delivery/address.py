"""The collector that records are meant for: its address, as the standard variables have it."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

_BASE: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_OF_SIGNALS: Final = (
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces"),
    ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "/v1/logs"),
)
_PROTOCOL: Final = "OTEL_EXPORTER_OTLP_PROTOCOL"
_DEFAULTS: Final = {"http/protobuf": "127.0.0.1:4318"}
_DEFAULT: Final = "127.0.0.1:4317"
_THIS_MACHINE: Final = "localhost"


def address(environment: Mapping[str, str]) -> str:
    """Return host, port and path: what tells one collector from another, without credentials.

    Headers are no part of it: a token that is put right, or changed, leads to the same collector.
    """
    default = _DEFAULTS.get(environment.get(_PROTOCOL, ""), _DEFAULT)
    base = environment.get(_BASE) or default
    found = {_bare(environment.get(variable) or base, path) for variable, path in _OF_SIGNALS}
    return " and ".join(sorted(found))


def _bare(endpoint: str, path: str) -> str:
    # A password may hold what ends a URL's host; what stands behind the last "@" is never a part.
    rest = endpoint.strip().rpartition("://")[2].rpartition("@")[2]
    try:
        parts = urlsplit(f"//{rest}")
    except ValueError:  # No URL.
        return rest
    place = parts.netloc.lower()
    host, colon, port = place.partition(":")
    if host == _THIS_MACHINE:
        place = f"127.0.0.1{colon}{port}"
    return place + parts.path.removesuffix(path).rstrip("/")
