"""Certificates for both listeners, checked before anything listens."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from relayscope.collector.errors import StartError

if TYPE_CHECKING:
    import grpc

    from relayscope.collector.config.settings import Settings


def check(settings: Settings) -> None:
    """Make sure that nobody listens elsewhere than on loopback in the open, and that TLS will work.

    Raises:
        StartError: says what is missing.
    """
    secure = settings.tls_certificate is not None and settings.tokens
    for address in (settings.grpc, settings.http, settings.page):
        if address is not None and not (address.is_loopback or secure or settings.insecure):
            raise StartError(
                f"{address} can be reached from other machines: set tls_certificate, tls_key and "
                "tokens, or give --insecure to let everybody in"
            )
    if settings.tls_certificate is None:
        return
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        if settings.tls_client_ca is not None:
            context.load_verify_locations(settings.tls_client_ca)
    except OSError as error:  # SSLError is one
        reason = error.strerror or "not what PEM should be"
        raise StartError(f"tls_certificate, tls_key or tls_client_ca: {reason}") from None


def grpc_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """For the gRPC listener; None without TLS."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    # The page's process, which has no use for it, starts in less time without.
    import grpc  # noqa: PLC0415  # see above

    client_ca = settings.tls_client_ca
    return grpc.ssl_server_credentials(
        [(settings.tls_key.read_bytes(), settings.tls_certificate.read_bytes())],
        root_certificates=client_ca.read_bytes() if client_ca else None,
        require_client_auth=client_ca is not None,
    )


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """For the HTTP listener; empty without TLS."""
    if settings.tls_certificate is None:
        return {}
    return {
        "ssl_certfile": settings.tls_certificate,
        "ssl_keyfile": settings.tls_key,
        "ssl_ca_certs": settings.tls_client_ca,
        "ssl_cert_reqs": ssl.CERT_REQUIRED if settings.tls_client_ca else ssl.CERT_NONE,
    }
