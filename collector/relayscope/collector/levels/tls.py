"""TLS of who asks a collector: by the variables of those who send to it."""

from __future__ import annotations

import os
import ssl
from typing import Final

_PREFIX: Final = "OTEL_EXPORTER_OTLP_"
AUTHORITIES: Final = f"{_PREFIX}CERTIFICATE"
OWN_CERTIFICATE: Final = f"{_PREFIX}CLIENT_CERTIFICATE"
OWN_KEY: Final = f"{_PREFIX}CLIENT_KEY"

_ABOUT_US: Final = frozenset(
    {
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_UNKNOWN_CA",
    }
)
"""OpenSSL's names of what a server says that wants another certificate of ours, or one at all."""

_HOSTNAME_MISMATCH: Final = frozenset({62, 64})
"""OpenSSL's numbers for another name, and another address, than the certificate has."""


def context_for(scheme: str) -> ssl.SSLContext:
    """Return whom to trust: nobody where no certificate comes, as reading all takes 20 ms.

    Raises:
        ValueError: A file that the user names cannot be read.
    """
    if scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authorities = os.environ.get(AUTHORITIES) or None
    try:
        context = ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise ValueError(f"{AUTHORITIES}: {authorities}: {error.strerror or error}") from None
    own, key = os.environ.get(OWN_CERTIFICATE), os.environ.get(OWN_KEY)
    if own:
        try:
            context.load_cert_chain(own, key or None)
        except OSError as error:
            names = f"{OWN_CERTIFICATE} or {OWN_KEY}: {own}, {key or 'no key'}"
            raise ValueError(f"{names}: {error.strerror or error}") from None
    return context


def advice(scheme: str, error: object) -> str:
    """Return why a collector cannot be asked, and what to do; empty where TLS is not the reason."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = f"its certificate is not trusted ({error.verify_message}): "
        if error.verify_code in _HOSTNAME_MISMATCH:
            return f"{said}name the collector as its certificate does"
        return f"{said}name the file of its CA in {AUTHORITIES}"
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        return "it speaks no TLS: write http:// before it"
    # With TLS 1.3, a server may close the connection in place of an answer, and not say why.
    is_closed = isinstance(error, ConnectionResetError | BrokenPipeError)
    if scheme == "http" and is_closed:
        return f"it closes the connection ({error}): if it speaks TLS, write https:// before it"
    if is_closed or (isinstance(error, ssl.SSLError) and error.reason in _ABOUT_US):
        return (
            f"it closes the connection ({error}): if it wants a certificate, name one that its "
            f"tls_client_ca has signed in {OWN_CERTIFICATE}, and its key in {OWN_KEY}"
        )
    return ""
