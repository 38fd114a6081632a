"""Access to the collector: tokens and roles, TLS, and the addresses that it may listen at."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import trustme

from relayscope.collector.signals import LOGS, SIGNALS
from tests.fix_collector import PATIENCE, PROTOBUF, Collector, collector_environment, export
from tests.fix_command import warm_relayscope
from tests.fix_programs import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.fix_collector import StartCollector

INGEST = "canary-ingest-0123456789"
READ = "canary-read-0123456789"
ADMIN = "canary-admin-0123456789"
WRONG = "canary-wrong-0123456789"
TOKENS = json.dumps(
    [
        {"name": "relay", "token": INGEST, "role": "ingest"},
        {"name": "grafana", "token": READ, "role": "read"},
        {"name": "alice", "token": ADMIN, "role": "admin"},
    ]
)

HEADERS: Mapping[str, str | None] = {
    "missing": None,
    "empty": "",
    "scheme only": "Bearer",
    "no token": "Bearer ",
    "no scheme": INGEST,
    "other scheme": f"Basic {INGEST}",
    "wrong": f"Bearer {WRONG}",
    "prefix": f"Bearer {INGEST[:-1]}",
    "longer": f"Bearer {INGEST}x",
    "not ascii": "Bearer \u00e9",
}


@pytest.fixture(scope="module")
def guarded(start_shared_collector: StartCollector) -> Collector:
    """A collector with a token for each role."""
    return start_shared_collector(environment={"RELAYSCOPE_TOKENS": TOKENS})


def grpc_code(address: str, authorization: str | None) -> grpc.StatusCode:
    """Return the status of an empty export."""
    with grpc.insecure_channel(address) as channel:
        try:
            export(channel, LOGS, b"", authorization)
        except grpc.RpcError as error:
            refused: Any = error
            code: grpc.StatusCode = refused.code()
            return code
    return grpc.StatusCode.OK


def http_status(collector: Collector, method: str, path: str, authorization: str | None) -> int:
    """Return the status of an empty request."""
    headers = {} if authorization is None else {"authorization": authorization}
    return collector.ask(method, path, headers=headers | {"content-type": PROTOBUF}).status


def test_only_a_right_token_opens_any_door(guarded: Collector) -> None:
    """Missing, empty, wrong and nearly right are alike refused, on every path."""
    for authorization in HEADERS.values():
        sent = None if authorization is None else authorization.encode().decode("latin-1")
        for signal in SIGNALS:
            assert http_status(guarded, "POST", f"/v1/{signal.name}", sent) == 401
        assert http_status(guarded, "GET", "/metrics", sent) == 401
        if authorization is None or authorization.isascii():
            assert grpc_code(guarded.grpc, authorization) is grpc.StatusCode.UNAUTHENTICATED
    assert http_status(guarded, "POST", "/v1/logs", f"Bearer {INGEST}") == 200
    assert grpc_code(guarded.grpc, f"Bearer {INGEST}") is grpc.StatusCode.OK


def test_a_token_opens_only_the_doors_of_its_role(guarded: Collector) -> None:
    """`ingest` sends, `read` reads, `admin` does both."""
    opened = {
        name: (
            http_status(guarded, "POST", "/v1/logs", f"Bearer {token}"),
            grpc_code(guarded.grpc, f"Bearer {token}"),
            http_status(guarded, "GET", "/metrics", f"Bearer {token}"),
        )
        for name, token in {"ingest": INGEST, "read": READ, "admin": ADMIN}.items()
    }
    assert opened == {
        "ingest": (200, grpc.StatusCode.OK, 403),
        "read": (403, grpc.StatusCode.PERMISSION_DENIED, 200),
        "admin": (200, grpc.StatusCode.OK, 200),
    }


def test_two_authorization_headers_are_none(guarded: Collector) -> None:
    """Nobody can tell which of them counts, so neither does."""
    connection = http.client.HTTPConnection(guarded.http)
    connection.putrequest("POST", "/v1/logs")
    for token in (INGEST, WRONG):
        connection.putheader("authorization", f"Bearer {token}")
    connection.putheader("content-length", "0")
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


def test_health_needs_no_token(guarded: Collector) -> None:
    """A supervisor that restarts a collector has no token."""
    assert http_status(guarded, "GET", "/healthz", None) == 200
    assert http_status(guarded, "GET", "/readyz", None) == 200


def test_no_token_is_ever_echoed(start_collector: StartCollector) -> None:
    """Neither in an answer nor in the log."""
    guarded = start_collector(environment={"RELAYSCOPE_TOKENS": TOKENS})
    for token in (WRONG, READ):
        headers = {"authorization": f"Bearer {token}", "content-type": PROTOBUF}
        reply = guarded.ask("POST", f"/v1/logs?token={token}", headers=headers)
        assert b"canary" not in reply.body
        assert "canary" not in str(reply.headers)
    assert guarded.stop() == 0
    assert "canary" not in str(guarded.log)


@pytest.mark.parametrize("where", ["--grpc", "--http"])
def test_listening_elsewhere_needs_tls_and_a_token(where: str, database_url: str) -> None:
    """It refuses to start, and says what is missing."""
    ended = subprocess.run(
        [sys.executable, "-m", "relayscope.collector", "serve", where, "0.0.0.0:0"],
        env=collector_environment({"RELAYSCOPE_DATABASE_URL": database_url}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: 0.0.0.0:0 can be reached from other machines: set ")
    assert ended.stderr.count("\n") == 1


def test_insecure_listens_anywhere(start_collector: StartCollector) -> None:
    """The user has said so."""
    collector = start_collector("--insecure", environment={"RELAYSCOPE_GRPC": "0.0.0.0:0"})
    port = collector.grpc.rpartition(":")[2]
    assert grpc_code(f"127.0.0.1:{port}", None) is grpc.StatusCode.OK


class Certificates:
    """A certificate authority, a certificate for the collector and one for a client."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        server = self.authority.issue_cert("localhost", "127.0.0.1")
        self.client = self.authority.issue_cert("relay@example.com")
        self.certificate = folder / "server.pem"
        self.key = folder / "server.key"
        self.ca = folder / "ca.pem"
        self.client_pem = folder / "client.pem"
        for blob in server.cert_chain_pems:
            blob.write_to_path(self.certificate, append=True)
        server.private_key_pem.write_to_path(self.key)
        self.authority.cert_pem.write_to_path(self.ca)
        self.client.private_key_and_cert_chain_pem.write_to_path(self.client_pem)

    def environment(self) -> dict[str, str]:
        """Settings for TLS."""
        return {
            "RELAYSCOPE_TLS_CERTIFICATE": str(self.certificate),
            "RELAYSCOPE_TLS_KEY": str(self.key),
        }

    def grpc_answers(self, address: str, *, with_client_certificate: bool) -> bool:
        """Return whether an export over TLS succeeds."""
        key, chain = None, None
        if with_client_certificate:
            key = self.client.private_key_pem.bytes()
            chain = self.client.cert_chain_pems[0].bytes()
        credentials = grpc.ssl_channel_credentials(self.ca.read_bytes(), key, chain)
        with grpc.secure_channel(address, credentials) as channel:
            try:
                export(channel, LOGS, b"")
            except grpc.RpcError:
                return False
        return True

    def http_answers(self, address: str, *, with_client_certificate: bool) -> bool:
        """Return whether the HTTP listener answers over TLS."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if with_client_certificate:
            context.load_cert_chain(self.client_pem)
        connection = http.client.HTTPSConnection(address, context=context, timeout=PATIENCE)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One set for the module: keys take time to make."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_tls_on_both_listeners(start_collector: StartCollector, certificates: Certificates) -> None:
    """With a certificate, nothing is spoken in the clear; who tries adds no line to the log."""
    collector = start_collector(environment=certificates.environment())
    assert certificates.grpc_answers(collector.grpc, with_client_certificate=False)
    assert certificates.http_answers(collector.http, with_client_certificate=False)
    assert grpc_code(collector.grpc, None) is grpc.StatusCode.UNAVAILABLE
    with pytest.raises((OSError, http.client.HTTPException)):
        collector.ask("GET", "/healthz")
    collector.stop()
    assert not [line for line in collector.log if "event" not in line]


def test_mutual_tls_lets_only_known_clients_in(
    start_collector: StartCollector, certificates: Certificates
) -> None:
    """On both listeners; a stranger does not get past the handshake."""
    environment = certificates.environment() | {"RELAYSCOPE_TLS_CLIENT_CA": str(certificates.ca)}
    collector = start_collector(environment=environment)
    assert certificates.grpc_answers(collector.grpc, with_client_certificate=True)
    assert certificates.http_answers(collector.http, with_client_certificate=True)
    assert not certificates.grpc_answers(collector.grpc, with_client_certificate=False)
    assert not certificates.http_answers(collector.http, with_client_certificate=False)


def test_tls_and_a_token_may_listen_anywhere(
    start_collector: StartCollector, certificates: Certificates
) -> None:
    """They need no `--insecure`."""
    collector = start_collector(
        environment=certificates.environment()
        | {"RELAYSCOPE_TOKENS": TOKENS, "RELAYSCOPE_GRPC": "0.0.0.0:0"}
    )
    assert collector.events("ready")


def test_the_command_for_levels_trusts_what_senders_trust(
    start_collector: StartCollector, certificates: Certificates, tmp_path: Path
) -> None:
    """A CA of one's own is that of OTEL_EXPORTER_OTLP_CERTIFICATE, which is named without it."""
    collector = start_collector(environment=certificates.environment())
    command = ["level", "list", "--collector", f"https://{collector.http}"]

    def said(**variables: str) -> str:
        done = run([*warm_relayscope(), *command], collector_environment(variables))
        return done.stdout or done.stderr

    assert "is not trusted (" in said()
    assert "in OTEL_EXPORTER_OTLP_CERTIFICATE" in said()
    assert "no rules" in said(OTEL_EXPORTER_OTLP_CERTIFICATE=str(certificates.ca))
    missing = str(tmp_path / "missing.pem")
    assert f"{missing}: No such file" in said(OTEL_EXPORTER_OTLP_CERTIFICATE=missing)


def test_the_command_for_levels_shows_the_certificate_that_senders_show(
    start_collector: StartCollector, certificates: Certificates, tmp_path: Path
) -> None:
    """A collector with `tls_client_ca` takes it; without it, or with another, that is said."""
    environment = certificates.environment() | {"RELAYSCOPE_TLS_CLIENT_CA": str(certificates.ca)}
    collector = start_collector(environment=environment)

    def said(certificate: Path | None = None, scheme: str = "https") -> str:
        command = ["level", "list", "--collector", f"{scheme}://{collector.http}"]
        variables = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificates.ca)}
        if certificate is not None:
            variables["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"] = str(certificate)
            variables["OTEL_EXPORTER_OTLP_CLIENT_KEY"] = str(certificate)
        done = run([*warm_relayscope(), *command], collector_environment(variables))
        return done.stdout or done.stderr

    stranger = tmp_path / "stranger.pem"
    trustme.CA().issue_cert("stranger").private_key_and_cert_chain_pem.write_to_path(stranger)
    assert "no rules" in said(certificates.client_pem)
    for refused in (said(), said(stranger)):
        assert "name one that its tls_client_ca has signed in OTEL_EXPORTER_OTLP_CLIENT_" in refused
    assert "missing.pem" in said(tmp_path / "missing.pem")
    assert "if it speaks TLS, write https:// before it" in said(scheme="http")


def test_a_wrong_certificate_stops_the_start(tmp_path: Path, database_url: str) -> None:
    """One line, before anything listens."""
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    ended = subprocess.run(
        [sys.executable, "-m", "relayscope.collector", "serve"],
        env=collector_environment(
            {
                "RELAYSCOPE_DATABASE_URL": database_url,
                "RELAYSCOPE_TLS_CERTIFICATE": str(wrong),
                "RELAYSCOPE_TLS_KEY": str(wrong),
            }
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: tls_certificate")
    assert ended.stderr.count("\n") == 1


def test_who_was_refused_why_is_logged(start_collector: StartCollector) -> None:
    """Once for each peer and reason, without the token that was tried."""
    guarded = start_collector(environment={"RELAYSCOPE_TOKENS": TOKENS})
    for _ in range(3):
        assert grpc_code(guarded.grpc, f"Bearer {WRONG}") is grpc.StatusCode.UNAUTHENTICATED
        assert grpc_code(guarded.grpc, f"Bearer {READ}") is grpc.StatusCode.PERMISSION_DENIED

    guarded.stop()
    said = [(line["peer"], line["reason"]) for line in guarded.events("refused")]
    assert said == [("ipv4:127.0.0.1", "Unauthenticated"), ("ipv4:127.0.0.1", "PermissionDenied")]
    assert WRONG not in str(guarded.log)


def test_who_was_refused_is_told_where_a_token_goes(start_collector: StartCollector) -> None:
    """Those who send name it in a header, and the command for levels in a variable."""
    guarded = start_collector(environment={"RELAYSCOPE_TOKENS": TOKENS})
    with grpc.insecure_channel(guarded.grpc) as channel, pytest.raises(grpc.RpcError) as refused:
        export(channel, LOGS, b"")
    assert "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN" in str(refused.value)

    command = [*warm_relayscope(), "level", "list", "--collector", guarded.url("")]
    assert "RELAYSCOPE_COLLECTOR_TOKEN" in run(command, collector_environment()).stderr
