"""Ports: held by the parent, shared by the workers.

A listener that sets SO_REUSEPORT starts happily beside another program's, and the kernel splits
the clients between them. So the parent first binds without it, which fails if the port is taken,
and then keeps a socket that never listens: it holds the number while workers come and go.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from relayscope.collector.config.settings import Address
from relayscope.collector.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator


def hold(address: Address) -> tuple[socket.socket, Address]:
    """A bound socket that does not listen, and the address with its real port.

    Raises:
        StartError: the address cannot be used; says why.
    """
    try:
        family, *_ = next(_resolve(address))
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address.host, address.port))
            real = Address(address.host, probe.getsockname()[1])
        return _bind(family, real), real
    except OSError as error:
        reason = error.strerror or error
        if error.errno == errno.EADDRINUSE:
            reason = f"{reason}; does a collector run already? Other ports: --grpc, --http, --page"
        raise StartError(f"cannot listen on {address}: {reason}") from None


def share(address: Address) -> socket.socket:
    """A socket on an address that is held, ready to listen."""
    family, *_ = next(_resolve(address))
    return _bind(family, address)


def _resolve(address: Address) -> Iterator[tuple[socket.AddressFamily, object]]:
    for family, _, _, _, resolved in socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        yield family, resolved


def _bind(family: socket.AddressFamily, address: Address) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((address.host, address.port))
    return bound
