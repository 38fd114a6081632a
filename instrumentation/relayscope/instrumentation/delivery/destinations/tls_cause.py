"""Why a receiver cannot be reached over gRPC, where TLS is the reason.

gRPC tells only of the last address that it has tried, which may be another than the receiver's, and
of a closed connection not why. So when it has failed, a connection is made as it makes one, and
closed at once.
"""

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from relayscope.instrumentation.delivery.encoding.otlp import Signal

_PREFIX: Final = "OTEL_EXPORTER_OTLP_"
_SECONDS: Final = 2.0
_HTTPS: Final = 443
_HOSTNAME_MISMATCH: Final = frozenset({62, 64})
"""OpenSSL's numbers for another name, and another address, than the certificate has."""

_UNTRUSTED_PEER: Final = (
    "the collector closes the connection where it sees our certificate, or that there is none: "
    f"name one that it trusts in {_PREFIX}CLIENT_CERTIFICATE and its key in {_PREFIX}CLIENT_KEY, "
    f"beside {_PREFIX}CERTIFICATE"
)


class Place(NamedTuple):
    """A receiver of one signal."""

    host: str
    port: int
    signal: Signal

    @classmethod
    def of(cls, endpoint: str, signal: Signal) -> "Place | None":
        """Return the place of an endpoint; None if it is no host's."""
        with suppress(ValueError):
            parts = urlsplit(f"//{endpoint}")
            if parts.hostname:
                return cls(parts.hostname, parts.port or _HTTPS, signal)
        return None


def cause_over_tls(place: Place) -> str:
    """Return why a receiver is not reached over TLS, and what to do; empty where nobody knows."""
    try:
        context = _context(place.signal)
    except ValueError as error:
        return str(error)
    return next((_refusal(each, context, place.host) for each in _connections(place)), "")


def _refusal(connection: socket.socket, context: ssl.SSLContext, host: str) -> str:
    try:
        with context.wrap_socket(connection, server_hostname=host) as secure:
            # A receiver speaks first. With TLS 1.3 it refuses when we believe to be connected.
            return "" if secure.recv(1) else _UNTRUSTED_PEER
    except ssl.SSLCertVerificationError as error:
        return _untrusted(error)
    except ssl.SSLError as error:
        return _UNTRUSTED_PEER if "ALERT" in (error.reason or "") else ""
    except OSError as error:
        return _UNTRUSTED_PEER if isinstance(error, ConnectionError) else ""


def cause_in_the_clear(place: Place) -> str:
    """Return why a receiver is not reached without TLS, and what to do; empty as above."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is sent but a greeting.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for connection in _connections(place):
        try:
            context.wrap_socket(connection, server_hostname=place.host).close()
        except ssl.SSLError as error:
            if "ALERT" not in (error.reason or ""):
                continue
        except OSError:
            continue
        return "the collector speaks TLS: write https:// before its address"
    return ""


def _context(signal: Signal) -> ssl.SSLContext:
    """Return what gRPC is given: whom to trust, and our own certificate.

    Raises:
        ValueError: A file cannot be used.
    """
    own = f"{_PREFIX}{signal.name}_"
    prefix = own if os.environ.get(f"{own}CERTIFICATE") else _PREFIX
    authorities = os.environ.get(f"{prefix}CERTIFICATE") or None
    try:
        context = ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise _unusable(f"{prefix}CERTIFICATE", authorities, error) from None
    # gRPC is not as strict.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["h2"])
    certificate = os.environ.get(f"{prefix}CLIENT_CERTIFICATE")
    if authorities and certificate:
        try:
            context.load_cert_chain(certificate, os.environ.get(f"{prefix}CLIENT_KEY") or None)
        except OSError as error:
            names = f"{prefix}CLIENT_CERTIFICATE or {prefix}CLIENT_KEY"
            raise _unusable(names, certificate, error) from None
    return context


def _unusable(variable: str, file: str | None, error: OSError) -> ValueError:
    reason = "it is not what PEM should be" if isinstance(error, ssl.SSLError) else error.strerror
    return ValueError(f"{variable} is {file}: {reason}")


def _untrusted(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _HOSTNAME_MISMATCH:
        return (
            f"the collector's certificate has another name ({error.verify_message}): write "
            f"{_PREFIX}ENDPOINT with a name that it has"
        )
    return (
        f"the collector's certificate is not trusted ({error.verify_message}): name the file of "
        f"its CA in {_PREFIX}CERTIFICATE"
    )


def _connections(place: Place) -> Iterator[socket.socket]:
    """Yield a connection to each address of a host that takes one, and close it."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except OSError:
        return
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as connection:
            connection.settimeout(_SECONDS)
            with suppress(OSError):
                connection.connect(address)
                yield connection
