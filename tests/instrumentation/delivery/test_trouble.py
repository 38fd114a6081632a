"""A destination that refuses records is named where a user looks: on stderr, and when asked."""

import re
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
import trustme

from relayscope.instrumentation.delivery.trouble import Trouble, TroubleFile, troubles
from tests.fix_delivery import Receiver, end_forwarders, forwarders, receiving
from tests.fix_http import Responding, serving
from tests.fix_programs import (
    SCRIPTS,
    Run,
    ended,
    eventually,
    free_port,
    host_environment,
    instrumented,
    python,
    run,
)

NOTHING = "nothing can be sent"
EMITTER = instrumented("host", python("emitter.py", "5"))


def asked(option: str, endpoint: str) -> Run:
    """Run relayscope-instrument with an option alone."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    return run([str(SCRIPTS / "relayscope-instrument"), option], environment)


def aborting(code: grpc.StatusCode) -> Receiver:
    """Make a receiver that refuses everything."""

    def abort(context: grpc.ServicerContext) -> bytes:
        context.abort(code, "bring a\x1b[31m token")

    return Receiver(script=[abort] * 1000)


@contextmanager
def http_answering(status: int) -> Iterator[str]:
    """Let an HTTP server answer everything with a status."""

    class Handler(Responding):
        def do_POST(self) -> None:  # noqa: N802  # as the library calls it
            self.rfile.read(int(self.headers["content-length"]))
            self.respond(status, "text/plain", "")

    with serving(Handler) as url:
        yield url


def run_refused(environment: dict[str, str], spool_dir: Path) -> Run:
    """Run a host after the forwarder of another one has found that it is refused."""
    run(EMITTER, environment)
    eventually(lambda: any(trouble.is_refusal for trouble in troubles(spool_dir / "host")))
    return run(EMITTER, environment)


def told_once(
    finished: Run, reason: str, what: str = "the collector refuses what it is sent"
) -> None:
    """Check that a host has said it once, and nothing else."""
    assert finished.returncode == 0
    (said,) = finished.stderr.splitlines()
    assert said.startswith(f"relayscope: {what} since ")
    assert reason in said


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"])
def test_a_refusal_over_grpc_is_told_once(code: str, spool_dir: Path) -> None:
    """One line, in which what the collector has said is harmless; --status and --flush say it."""
    with receiving(aborting(grpc.StatusCode[code])) as receiver:
        environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)

        told_once(run_refused(environment, spool_dir), f"{code}: bring a [31m token")

        for option in ("--status", "--flush"):
            finished = asked(option, receiver.endpoint)
            assert finished.returncode == 1
            assert "refuses what it is sent since" in finished.stdout
            assert code in finished.stdout
            assert "14 waiting" in finished.stdout


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_over_http_is_told_once(status: int, spool_dir: Path) -> None:
    """As over gRPC."""
    with http_answering(status) as endpoint:
        environment = host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf"
        )

        told_once(run_refused(environment, spool_dir), f"HTTP {status}")


def test_a_certificate_that_does_not_fit_is_told_once(tmp_path: Path, spool_dir: Path) -> None:
    """A collector whose certificate another authority has signed."""
    certificate = trustme.CA().issue_cert("localhost")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    credentials = grpc.ssl_server_credentials(
        [(certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes())]
    )
    with receiving(Receiver(), credentials) as receiver:
        environment = host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_CERTIFICATE=str(tmp_path / "other.pem"),
        )

        told_once(
            run_refused(environment, spool_dir),
            "name the file of its CA in OTEL_EXPORTER_OTLP_CERTIFICATE",
        )


class Authority:
    """Signs the certificates of a collector and of its client, and writes files of them."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(self.file)
        self._folder = folder

    def server(self, *names: str, client: "Authority | None" = None) -> grpc.ServerCredentials:
        """Return credentials of a collector, which wants a client that an authority has signed."""
        certificate = self._authority.issue_cert(*names)
        return grpc.ssl_server_credentials(
            [(certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes())],
            client.file.read_bytes() if client else None,
            require_client_auth=client is not None,
        )

    def client(self) -> dict[str, str]:
        """Return the variables of a client."""
        file = str(self._folder / "client.pem")
        self._authority.issue_cert("relay").private_key_and_cert_chain_pem.write_to_path(file)
        return {
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": file,
            "OTEL_EXPORTER_OTLP_CLIENT_KEY": file,
        }


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("fault", ["missing", "garbage", "name", "anonymous", "stranger", "clear"])
def test_tls_that_does_not_fit_is_told_with_what_to_do(
    tmp_path: Path, spool_dir: Path, fault: str, host: str
) -> None:
    """Also where `localhost` has an address more, at which nobody listens."""
    authority = Authority(tmp_path)
    names = ["elsewhere.example"] if fault == "name" else ["localhost", "127.0.0.1"]
    client = authority if fault in {"anonymous", "stranger"} else None
    trusted, variables = authority.file, {}
    if fault in {"missing", "garbage"}:
        trusted = tmp_path / f"{fault}.pem"
    if fault == "garbage":
        trusted.write_text("no certificate")
    if fault == "stranger":
        (tmp_path / "other").mkdir()
        variables = Authority(tmp_path / "other").client()
    with receiving(Receiver(), authority.server(*names, client=client)) as receiver:
        port = receiver.endpoint.rpartition(":")[2]
        scheme = "http" if fault == "clear" else "https"
        environment = host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"{scheme}://{host}:{port}",
            OTEL_EXPORTER_OTLP_CERTIFICATE=str(trusted),
            **variables,
        )

        finished = run_refused(environment, spool_dir)

    told_once(
        finished,
        {
            "missing": f"OTEL_EXPORTER_OTLP_CERTIFICATE is {trusted}: No such file",
            "garbage": f"OTEL_EXPORTER_OTLP_CERTIFICATE is {trusted}: it is not what PEM",
            "name": "write OTEL_EXPORTER_OTLP_ENDPOINT with a name that it has",
            "anonymous": "name one that it trusts in OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
            "stranger": "name one that it trusts in OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
            "clear": "the collector speaks TLS: write https://",
        }[fault],
    )


def test_an_address_without_a_scheme_is_told_with_what_to_write(spool_dir: Path) -> None:
    """OpenTelemetry takes it for one with TLS, which the collector does not speak."""
    with receiving(Receiver()) as receiver:
        environment = host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint.removeprefix("http://")
        )

        told_once(run_refused(environment, spool_dir), "write http:// before it")


def test_grpc_to_an_http_port_is_told_with_what_to_set(spool_dir: Path) -> None:
    """An HTTP server answers gRPC's first bytes with HTTP/1.1."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)

        try:
            finished = run_refused(environment, spool_dir)
        finally:
            server.shutdown()
            thread.join()

    told_once(finished, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")


def test_what_cannot_be_sent_at_all_is_told(spool_dir: Path) -> None:
    """A protocol that does not exist keeps the forwarder from starting, which nobody would see."""
    environment = host_environment(OTEL_EXPORTER_OTLP_PROTOCOL="carrier-pigeon")

    told_once(run_refused(environment, spool_dir), "carrier-pigeon", NOTHING)


def test_a_missing_package_is_told_with_how_it_is_installed(
    spool_dir: Path, tmp_path: Path
) -> None:
    """OTLP over HTTP is an extra of its own."""
    package = tmp_path / "opentelemetry/exporter/otlp/proto/http"
    package.mkdir(parents=True)
    name = "opentelemetry.exporter.otlp.proto.http"
    blocked = f"raise ModuleNotFoundError('none', name={name!r})"
    (package / "__init__.py").write_text(blocked)
    environment = host_environment(
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf", PYTHONPATH=str(tmp_path)
    )

    told_once(
        run_refused(environment, spool_dir),
        f"-m pip install '{Path(__file__).parents[3]}[http]'",
        NOTHING,
    )


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_package_that_something_else_holds_back_is_named(
    protocol: str, spool_dir: Path, tmp_path: Path
) -> None:
    """Its own error says nothing of what to do, and would end the forwarder unseen."""
    package = tmp_path / "google/rpc"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise TypeError('gencode 6.33.5 runtime 5.29.6')")
    (tmp_path / "opentelemetry/exporter/otlp/proto/http").mkdir(parents=True)
    (tmp_path / "opentelemetry/exporter/otlp/proto/http/__init__.py").write_text(
        "import google.rpc"
    )
    older = tmp_path / "protobuf-4.25.9.dist-info"
    older.mkdir()
    (older / "METADATA").write_text("Metadata-Version: 2.1\nName: protobuf\nVersion: 4.25.9\n")
    environment = host_environment(OTEL_EXPORTER_OTLP_PROTOCOL=protocol, PYTHONPATH=str(tmp_path))

    finished = run_refused(environment, spool_dir)
    told_once(finished, "protobuf 4.25.9 does not fit what sends OTLP", NOTHING)
    assert re.search(r"pip install 'protobuf\S*>=\S+'", finished.stderr)
    flushed = run([str(SCRIPTS / "relayscope-instrument"), "--flush"], environment)
    assert "Traceback" not in flushed.stderr
    assert "protobuf 4.25.9 does not fit" in flushed.stderr


def test_who_wants_quiet_has_it(spool_dir: Path) -> None:
    """`RELAYSCOPE_QUIET` silences the line."""
    with receiving(aborting(grpc.StatusCode.UNAUTHENTICATED)) as receiver:
        environment = host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, RELAYSCOPE_QUIET="1"
        )

        assert run_refused(environment, spool_dir).stderr == ""


def test_a_collector_that_is_away_is_no_news_for_the_host(spool_dir: Path) -> None:
    """The host says nothing, --status does, and flushing when it is there ends it."""
    port = free_port()
    nobody = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    run(EMITTER, nobody)
    eventually(lambda: troubles(spool_dir / "host"))
    assert run(EMITTER, nobody).stderr == ""
    assert "takes nothing since" in asked("--status", f"http://127.0.0.1:{port}").stdout
    end_forwarders(spool_dir)

    with receiving(Receiver(), port=port) as receiver:
        assert asked("--flush", receiver.endpoint).stdout == "host: 14 sent, 0 waiting\n"

    assert asked("--status", f"http://127.0.0.1:{port}").stdout == "host: 0 waiting, 0 in use\n"


def test_what_nothing_sends_any_more_says_how_it_is_sent(spool_dir: Path) -> None:
    """The program has ended, and so has its forwarder: a collector that is back changes nothing."""
    nobody = "http://127.0.0.1:1"
    run(EMITTER, host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=nobody))
    eventually(lambda: troubles(spool_dir / "host"))
    end_forwarders(spool_dir)

    assert (
        "host: 7 waiting, 0 in use\n"
        "  nothing sends them now; the next host will, or: relayscope-instrument --flush\n"
    ) in asked("--status", nobody).stdout


def test_flush_counts_what_others_have_in_hand(spool_dir: Path) -> None:
    """A living process's records wait, too, and so do those that another forwarder holds."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    command = instrumented("host", python("emitter.py", "5", "--then", "wait"))
    with (
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as host,
        ended(host),
    ):
        assert host.stdout is not None
        while host.stdout.readline() != "waiting\n":
            pass

        finished = asked("--flush", "http://127.0.0.1:1")

    assert finished.returncode == 1
    assert "0 sent, 6 waiting (1 in use by other processes)" in finished.stdout
    end_forwarders(spool_dir)
    assert forwarders(spool_dir) == []


def test_a_stderr_that_nobody_reads_keeps_nobody_waiting() -> None:
    """If the pipe is full, the line is not written, and may be written later."""
    script = (
        "import fcntl, os, sys\n"
        "from relayscope.instrumentation.runtime.stderr import say\n"
        "flags = fcntl.fcntl(2, fcntl.F_GETFL)\n"
        "fcntl.fcntl(2, fcntl.F_SETFL, flags | os.O_NONBLOCK)\n"
        "try:\n"
        "    while True: os.write(2, b'x' * 4096)\n"
        "except BlockingIOError: pass\n"
        "fcntl.fcntl(2, fcntl.F_SETFL, flags)\n"
        "print(say('hello'))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read() == "False\n"
        assert process.stderr is not None
        assert "hello" not in process.stderr.read()


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"reason": 1}', b"\xff" * 5000, b"null"])
def test_a_damaged_file_is_none(content: bytes, tmp_path: Path) -> None:
    """A file that cannot be read tells of no trouble."""
    file = TroubleFile(tmp_path, "x")
    file.write(Trouble.now("a" * 5000, is_refusal=True))
    (said,) = troubles(tmp_path)
    assert len(said.reason) == 300

    (tmp_path / "trouble-x.json").write_bytes(content)

    assert file.read() is None
    assert troubles(tmp_path) == []
