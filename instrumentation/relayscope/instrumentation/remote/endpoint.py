"""The OpAMP endpoint that a forwarder asks: the collector's, unless it is told otherwise."""

import os
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from opentelemetry.util.re import parse_env_headers

from relayscope.conventions.environment import RELAYSCOPE_OPAMP_ENDPOINT

_PATH: Final = "/v1/opamp"
_NOWHERE: Final = frozenset({"none", "off", "false", "0"})
_GRPC_PORT: Final = 4317
_HTTP_PORT: Final = 4318
_PREFIX: Final = "OTEL_EXPORTER_OTLP_"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpAMP server.

    Attributes:
        url: All of it.
        headers: With which it is asked: those of the records, with their token.
        authority: A file with the certificates to trust; True for the usual ones.
        certificate: Files with a certificate of our own and its key.
    """

    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    authority: str | bool = True
    certificate: tuple[str, str] | None = None


def chosen_endpoint() -> Endpoint | None:
    """Return the endpoint that the environment names; None if it names none.

    Raises:
        ValueError: It names no endpoint.
    """
    chosen = os.environ.get(RELAYSCOPE_OPAMP_ENDPOINT, "").strip()
    if chosen.lower() in _NOWHERE:
        return None
    url = _completed(chosen) if chosen else _beside_records()
    if url is None:
        return None
    own = os.environ.get(f"{_PREFIX}CLIENT_CERTIFICATE"), os.environ.get(f"{_PREFIX}CLIENT_KEY")
    return Endpoint(
        url,
        dict(parse_env_headers(os.environ.get(f"{_PREFIX}HEADERS", ""), liberal=True)),
        os.environ.get(f"{_PREFIX}CERTIFICATE") or True,
        (own[0], own[1]) if own[0] and own[1] else None,
    )


def _completed(chosen: str) -> str:
    parts = urlsplit(chosen)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(
            f"{RELAYSCOPE_OPAMP_ENDPOINT} is {chosen!r}; give a URL such as "
            f"http://127.0.0.1:{_HTTP_PORT}, or none."
        )
    path = parts.path if parts.path.strip("/") else _PATH
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _beside_records() -> str | None:
    """The HTTP port of where records go; None where nobody knows which that is."""
    endpoint = os.environ.get(f"{_PREFIX}ENDPOINT", "").strip()
    if not endpoint:
        return None
    if os.environ.get(f"{_PREFIX}PROTOCOL", "grpc").strip() != "grpc":
        return endpoint.rstrip("/") + _PATH
    if "://" not in endpoint:
        is_plain = os.environ.get(f"{_PREFIX}INSECURE", "").strip().lower() == "true"
        endpoint = f"{'http' if is_plain else 'https'}://{endpoint}"
    try:
        parts = urlsplit(endpoint)
        is_usual = parts.port == _GRPC_PORT
    except ValueError:
        return None
    if not is_usual or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{_HTTP_PORT}{_PATH}"
