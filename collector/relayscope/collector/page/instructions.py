"""Commands to copy, by which a program is recorded by this very collector."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from relayscope.conventions.environment import RELAYSCOPE_OPAMP_ENDPOINT

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Address, Settings

_USUAL_GRPC: Final = 4317
_USUAL_HTTP: Final = 4318
_ANYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104  # compared, not listened on


@dataclass(frozen=True, slots=True)
class Instructions:
    """An address to send to, and what that takes.

    Attributes:
        grpc: The endpoint of OTLP over gRPC.
        http: That of OTLP over HTTP.
        variables: Environment variables whose values differ from a program's defaults.
    """

    grpc: str
    http: str
    variables: dict[str, str]

    @property
    def command(self) -> str:
        """The command that starts a program so that it is recorded."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.variables.items()]
        lines.append("relayscope-instrument --service-name relay -- python relay.py")
        return "\n".join(lines)

    @property
    def server(self) -> str:
        """The entry of a client's file with `mcpServers`."""
        entry: dict[str, object] = {
            "command": "/path/to/.venv/bin/relayscope-instrument",
            "args": [
                *("--service-name", "relay", "--"),
                *("/path/to/.venv/bin/python", "/path/to/relay.py"),
            ],
        }
        if self.variables:
            entry["env"] = self.variables
        return json.dumps({"mcpServers": {"relay": entry}}, indent=2)


def instructions(settings: Settings, host: str) -> Instructions:
    """Say how to reach the collector.

    Args:
        settings: With the real ports.
        host: The name by which who asks reaches this machine, where it listens everywhere.
    """
    scheme = "http" if settings.tls_certificate is None else "https"
    grpc = f"{scheme}://{_reached(settings.grpc, host)}"
    http = f"{scheme}://{_reached(settings.http, host)}"
    variables = {}
    is_usual = settings.grpc.port == _USUAL_GRPC and settings.http.port == _USUAL_HTTP
    if not (is_usual and settings.grpc.is_loopback):
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = grpc
    if not is_usual:
        variables[RELAYSCOPE_OPAMP_ENDPOINT] = f"{http}/v1/opamp"
    if settings.tokens:
        variables["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=Bearer%20TOKEN"
    if settings.tls_certificate is not None:
        variables["OTEL_EXPORTER_OTLP_CERTIFICATE"] = "/path/to/collector-ca.pem"
    return Instructions(grpc, http, variables)


def _reached(address: Address, host: str) -> Address:
    return address._replace(host=host) if address.host in _ANYWHERE else address
