"""Credentials for a collector are in nothing that we write."""

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.instrumentation.delivery.credentials import secrets_in
from relayscope.instrumentation.delivery.launch.launcher import LOG_NAME
from relayscope.instrumentation.delivery.trouble import troubles
from tests.fix_delivery import SPOOL_DIR, Receiver, end_forwarders, receiving
from tests.fix_programs import SCRIPTS, eventually, host_environment, instrumented, python, run

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"

ENDPOINTS = [
    "http://user:s3cretpw@nohost.invalid:4317",
    "user:s3cretpw@nohost.invalid:4317",
    "http://user:one#s3cretpw@nohost.invalid:4317",
    "http://user:one@s3cretpw@nohost.invalid:4317",
    "http://user:one s3cretpw@nohost.invalid:4317",
    "http://user:one/s3cretpw@nohost.invalid:4317",
    "http://user:s3cretpw@[::1",
    "http://user:s3cretpw@nohost.invalid:port",
    "http://user:s3cr%65tpw@nohost.invalid:4317",
    "http://nohost.invalid:4317?key=s3cretpw",
]
CASES = [
    # The plain ones over both: each takes 8 s, most of it to find that there is no such host.
    (endpoint, protocol)
    for number, endpoint in enumerate(ENDPOINTS)
    for protocol in ("grpc", "http/protobuf")
    if number < 2 or (number % 2 == 0) == (protocol == "grpc")
]
AT_A_TIME = 4

Case = tuple[str, str]
Said = dict[str, bytes]

SECRET = re.compile(rb"s3cr%65tpw|s3cretpw|s3crettoken")


def everything_said(environment: dict[str, str], spool_dir: Path) -> Said:
    """Run a host, its forwarder, --status and --flush; return what they wrote and where."""
    host = run(instrumented("host", python("emitter.py", "2")), environment)
    log = spool_dir / "host" / LOG_NAME
    eventually(lambda: log.exists() and "records wait" in log.read_text())
    end_forwarders(spool_dir)
    said = {"stderr of the host": host.stderr.encode()}
    for option in ("--status", "--flush"):
        command = [str(SCRIPTS / "relayscope-instrument"), option]
        finished = subprocess.run(command, env=environment, capture_output=True, check=False)
        said[option] = finished.stdout + finished.stderr
    return said | {str(path): path.read_bytes() for path in spool_dir.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Case, Future[Said]]]:
    """The output of each case, several at a time: most of it is waiting for a name server."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        running = {}
        for endpoint, protocol in CASES:
            folder = tmp_path_factory.mktemp("spools")
            environment = host_environment(
                **{
                    ENDPOINT: endpoint,
                    PROTOCOL: protocol,
                    HEADERS: "Bearer s3crettoken",
                    SPOOL_DIR: str(folder),
                }
            )
            running[endpoint, protocol] = pool.submit(everything_said, environment, folder)
        yield running


@pytest.mark.processes
@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_an_endpoints_password_is_in_nothing_that_is_written(
    said: dict[Case, Future[Said]], case: Case
) -> None:
    """Neither in logs and status files nor on a terminal, whatever a library says of it."""
    written = said[case].result()

    assert [where for where, text in written.items() if SECRET.search(text)] == []


def test_a_token_that_a_collector_quotes_is_in_nothing_that_is_written(spool_dir: Path) -> None:
    """The collector's words about a token are told, without the token."""

    def quote(context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "s3crettoken is not known\x1b[2J\nfake line")

    with receiving(Receiver(script=[quote] * 1000)) as receiver:
        environment = host_environment(
            **{ENDPOINT: receiver.endpoint, HEADERS: "authorization=Bearer%20s3crettoken"}
        )

        said = everything_said(environment, spool_dir)

        assert [where for where, text in said.items() if SECRET.search(text)] == []
        (trouble,) = {found.reason for found in troubles(spool_dir / "host")}
    assert "is not known" in trouble
    log = (spool_dir / "host" / LOG_NAME).read_text()
    assert "\x1b" not in log
    assert "\nfake line" not in log


@given(
    user=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
    password=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=8),
)
def test_users_and_passwords_are_known(user: str, password: str) -> None:
    """They may have any characters in them, also those that no URL may have."""
    found = list(secrets_in({ENDPOINT: f"https://{user}:{password}@host:1/path"}))

    assert any(password in secret for secret in found)
