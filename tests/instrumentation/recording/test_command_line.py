"""Promises about the command lines that are recorded."""

import pytest

from relayscope.instrumentation.recording.command_line import clean_command_line
from relayscope.sanitizer import Rules, Sanitizer

_PASSWORDS = (
    "npx pg-mcp bob:hunter2@localhost:5432/db",
    "server --dsn=bob:hunter2@10.0.0.5/db --port 1",
    "server --dsn 'bob:hunter2@db.example' --port 1",
    "npx mcp-remote bob:hunter2@[::1]:3128",
    "server bob:hunt/er2@db.example",
    "server postgresql://bob:hunter2@db.example/db",
)
_HARMLESS = (
    "npx -y @acme/files@latest /srv",
    "deno run npm:cowsay@1.5.0",
    "docker run -i registry:5000/acme/files:1@sha256:0123abcd",
    "git clone git@github.com:acme/files.git",
    "scp bob@db.example:/srv/files .",
    r"python C:\\srv\\mail@home.py --at 12:30",
    "curl http://127.0.0.1:80/mail@home",
)


@pytest.mark.parametrize("command_line", _PASSWORDS)
def test_a_password_before_a_host_is_cut_out_without_a_scheme_too(command_line: str) -> None:
    """Programs take `user:password@host` as an argument or an option's value."""
    assert _cleaned(command_line) in {
        command_line.replace(password, "[REDACTED:url-password]")
        for password in ("hunter2", "hunt/er2")
    }


@pytest.mark.parametrize("command_line", _HARMLESS)
def test_a_harmless_command_line_is_kept_as_it_is(command_line: str) -> None:
    """Packages, images, repositories and paths have an `@` and a colon as well."""
    assert _cleaned(command_line) == command_line


def test_a_long_command_line_ends_with_a_whole_word() -> None:
    """A password at the bound is kept whole, so that it is recognised, or not at all."""
    for length in range(4050, 4100):
        command_line = f"{'x' * length} bob:hunter2@db.example"
        assert "hunt" not in _cleaned(command_line)


def test_the_users_own_rules_hold_for_command_lines() -> None:
    """A command line keeps what the rules leave in a URL."""
    without = Sanitizer.from_rules(Rules.from_mapping({"disable": ["url-password"]}))
    command_line = "npx pg-mcp bob:hunter2@localhost"
    assert clean_command_line(without, command_line) == command_line


def _cleaned(command_line: str) -> str:
    """Return what is recorded: the line in a record that the sanitizer has cleaned."""
    sanitizer = Sanitizer.default()
    return str(sanitizer.value(clean_command_line(sanitizer, command_line)))
