"""Settings: where they come from, which one holds, and what is said about a wrong one."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from relayscope.collector.config.settings import Address, load
from relayscope.collector.errors import SettingsError
from relayscope.conventions.environment import RELAYSCOPE_CONFIG, RELAYSCOPE_PROFILE, VARIABLES
from tests.fix_collector import collector_environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A YAML file that sets everything the precedence tests look at."""
    path = tmp_path / "relayscope.yaml"
    path.write_text("grpc: 127.0.0.1:1\nhttp: 127.0.0.1:1\nworkers: 3\n")
    return path


def test_command_line_over_environment_over_file_over_default(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each source wins over those after it."""
    monkeypatch.setenv("RELAYSCOPE_GRPC", "127.0.0.1:2")
    monkeypatch.setenv("RELAYSCOPE_HTTP", "127.0.0.1:2")
    settings = load({"grpc": "127.0.0.1:3"}, config)
    assert settings.grpc == Address("127.0.0.1", 3)
    assert settings.http == Address("127.0.0.1", 2)
    assert settings.workers == 3
    assert settings.grpc_max_message == 4 * 2**20


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("wrokers: 3", "wrokers: unknown setting; the nearest known one is workers"),
        ("workers: none", "workers: "),
        ("workers: 0", "workers: "),
        ("grpc: nowhere", "grpc: expected HOST:PORT"),
        ("grpc: 4317", "grpc: expected HOST:PORT"),
        ("data_dir: ''", "data_dir: is empty"),
        ("archive_dir: ''", "archive_dir: is empty"),
        ("http_max_body: lots", "http_max_body: expected a size"),
        ("component_classes: [relay]", "component_classes: expected a mapping"),
        ("component_classes: {relay: one}", "component_classes.relay: expected a list"),
        ("tokens: [{name: relay, token: 1234567890123456}]", "tokens.0.token: expected text"),
        ("tls_key: key.pem", "tls_certificate and tls_key are set together"),
        ("tokens: [{name: relay, token: short}]", "tokens.0.token: "),
        ("tokens: [{name: relay, token: 0123456789abcdef, rolle: read}]", "tokens.0.rolle: "),
        ("max_in_flight: 1MiB", "max_in_flight must not be less"),
        ("- workers", "expected a mapping"),
        ("workers: [", "line 1"),
        ("keep_logs: 90d\nworkers: 2\nkeep_logs: 1d", ", line 3: keep_logs is there twice"),
        (
            "tokens: [{name: relay, token: 0123456789abcdef, name: other}]",
            ", line 1: name is there twice",
        ),
        ("max_database_bytes: 50", "max_database_bytes: expected at least 64MiB"),
        ("max_database_bytes: 0", "max_database_bytes: expected at least 64MiB"),
        ("max_database_bytes: true", "max_database_bytes: expected at least 64MiB"),
    ],
)
def test_a_wrong_file_is_refused_with_the_name_and_the_file(
    tmp_path: Path, content: str, complaint: str
) -> None:
    """The message is one line, names the setting, and does not repeat its value."""
    path = tmp_path / "relayscope.yaml"
    path.write_text(content)
    with pytest.raises(SettingsError) as caught:
        load({}, path)
    message = str(caught.value)
    assert complaint in message
    assert "\n" not in message
    assert "short" not in message.removeprefix(str(path))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("keep_logs", "30", "unit: 30d"),
        ("keep_logs", "'30'", "unit: 30d"),
        ("keep_traces", "0d", "1 hour"),
        ("keep_metrics", "59m", "1 hour"),
        ("keep_metrics", "true", "unit: 30d"),
        ("keep_apart", "[{name: errors, errors: true, keep: 90}]", "unit: 30d"),
        ("keep_apart", "[{name: errors, errors: true, keep: -90d}]", "keep_apart.0.keep: "),
        ("duplicate_window", "24", "unit: 30d"),
        ("partition_width", "86400", "unit: 30d"),
        ("keep_logs", "forever", "unit: 30d"),
        ("keep_logs", "[30d]", "unit: 30d"),
        ("seal_after", "-1h", "unit: 30d"),
        ("seal_after", "-PT1H", "greater than or equal to 0"),
        ("seal_after", "999999999w", "unit: 30d"),
    ],
)
def test_a_length_of_time_without_its_unit_or_too_short_is_refused(
    tmp_path: Path, name: str, content: str, expected: str
) -> None:
    """Thirty that were meant as days do not become the seconds after which all is removed."""
    path = tmp_path / "relayscope.yaml"
    path.write_text(f"{name}: {content}\n")
    with pytest.raises(SettingsError) as caught:
        load({}, path)
    assert f"{path}: {name}" in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize("written", ["30d", "30 days", "P30D", "720h", "43200m"])
def test_a_length_of_time_may_be_written_in_several_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    """A number with its unit and ISO 8601 are the same, in the file and in a variable."""
    path = tmp_path / "relayscope.yaml"
    path.write_text(f"keep_logs: {written}\n")
    monkeypatch.setenv("RELAYSCOPE_KEEP_TRACES", written)
    settings = load({}, path)
    assert settings.keep_logs == settings.keep_traces == timedelta(days=30)


@pytest.mark.parametrize("written", ["0h", "0s", "0d", "PT0S"])
def test_no_time_at_all_may_be_written_in_several_ways(tmp_path: Path, written: str) -> None:
    """Zero is a length of time like others."""
    path = tmp_path / "relayscope.yaml"
    path.write_text(f"seal_after: {written}\n")
    assert load({}, path).seal_after == timedelta(0)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """Silently starting with defaults would listen and store elsewhere than the user thinks."""
    with pytest.raises(SettingsError, match="no such file"):
        load({}, tmp_path / "missing.yaml")


def test_an_unknown_variable_is_refused_with_the_nearest_known_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A misspelt variable must not be ignored, whether the collector's or a traced process's."""
    for wrong, right in (
        ("RELAYSCOPE_DATABSE_URL", "RELAYSCOPE_DATABASE_URL"),
        ("RELAYSCOPE_PROFILES", RELAYSCOPE_PROFILE),
    ):
        monkeypatch.setenv(wrong, "postgresql://u:hunter2@localhost/x")
        with pytest.raises(SettingsError, match=f"^{wrong}: unknown .* {right}$") as caught:
            load({})
        assert "hunter2" not in str(caught.value)
        monkeypatch.delenv(wrong)


@pytest.mark.parametrize("variable", sorted(VARIABLES | {"RELAYSCOPE_TEST_DATABASE_URL"}))
def test_variables_of_a_traced_process_are_not_mistakes(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A relay and its collector may share an environment."""
    monkeypatch.setenv(variable, "true")
    load({})


def test_a_collector_starts_in_a_shell_that_has_every_variable() -> None:
    """It is stopped by a wrong option, which is read after all variables."""
    ended = subprocess.run(
        [sys.executable, "-m", "relayscope.collector", "serve", "--grpc", "nowhere"],
        env=collector_environment(dict.fromkeys(VARIABLES - {RELAYSCOPE_CONFIG}, "true")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.startswith("Error: --grpc: ")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("RELAYSCOPE_WORKERS", "many"), ("RELAYSCOPE_TOKENS", "{"), ("RELAYSCOPE_TOKENS", "[{}]")],
)
def test_a_wrong_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """The message begins with the variable."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=rf"^{variable}: "):
        load({})


def test_secrets_are_masked_when_printed() -> None:
    """Neither the database's password nor a token is in the settings' text."""
    settings = load(
        {
            "database_url": "postgresql://u:hunter2@localhost/x",
            "tokens": [{"name": "relay", "token": "canary-canary-canary"}],
        }
    )
    assert "hunter2" not in repr(settings)
    assert "canary" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "reachable_from"),
    [
        ("127.0.0.1:4317", "here"),
        ("[::1]:4317", "here"),
        ("localhost:4317", "here"),
        ("0.0.0.0:4317", "elsewhere"),
        ("[::]:4317", "elsewhere"),
        ("relay.example:4317", "elsewhere"),
    ],
)
def test_addresses_know_whether_only_this_machine_can_connect(
    text: str, reachable_from: str
) -> None:
    """An address that is not known to be loopback counts as reachable."""
    address = load({"grpc": text}).grpc
    assert address.is_loopback is (reachable_from == "here")
    assert str(address) == text


def test_a_wrong_setting_stops_the_start_with_one_line() -> None:
    """The command says what is wrong and ends with 1, without a traceback."""
    ended = subprocess.run(
        [sys.executable, "-m", "relayscope.collector", "serve", "--grpc", "nowhere"],
        env=collector_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        "Error: --grpc: expected HOST:PORT, for example 127.0.0.1:4317 or [::1]:4317\n"
    )


@pytest.mark.parametrize("command", ["sql", "trace", "lists", "problems"])
def test_reading_commands_do_not_load_what_only_serving_needs(command: str) -> None:
    """`relayscope trace` starts without gRPC and SQLAlchemy, so that it starts quickly."""
    code = (
        "import sys\n"
        "from relayscope.collector.cli.main import main\n"
        f"from relayscope.collector.cli.commands import {command}\n"
        "assert not {'grpc', 'uvicorn', 'starlette', 'sqlalchemy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], env=collector_environment(), check=True)
