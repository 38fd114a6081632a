"""Promises of `relayscope sanitize` and of a user's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fix_command import warm_relayscope
from tests.fix_programs import SCRIPTS, Run, host_environment, run

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = '{"method":"tools/call","params":{"arguments":{"api_key":"a-secret-8Fk2","city":"Bonn"}}}'


def sanitize(*arguments: str, stdin: str = SAMPLE) -> Run:
    """Run the command."""
    return run([*warm_relayscope(), "sanitize", *arguments], host_environment(), stdin)


def test_it_shows_what_would_be_stored() -> None:
    """The secret is replaced, and everything else is as it was."""
    finished = sanitize("-")

    assert finished.returncode == 0
    assert "a-secret-8Fk2" not in finished.stdout
    before, after = SAMPLE.split('"a-secret-8Fk2"')
    assert finished.stdout.startswith(before)
    assert finished.stdout.endswith(after)


def test_it_explains_which_rule_did_it_and_where() -> None:
    """A line per change, with rule and path, and without the secret."""
    finished = sanitize("--explain", "-")

    (line,) = finished.stdout.splitlines()
    assert "api_key" in line
    assert "a-secret-8Fk2" not in line
    assert "REDACTED" in line
    assert sanitize("--explain", "-", stdin="nothing to hide").stdout == "no rule applies\n"


def test_a_users_own_rule_is_used(tmp_path: Path) -> None:
    """A pattern from the user's file takes out what it matches."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("patterns:\n- name: ticket\n  pattern: 'TICKET-[0-9]+'\n")

    finished = sanitize("--sanitizer-rules", str(rules), "-", stdin="see TICKET-4711 now")

    assert (finished.returncode, finished.stdout) == (0, "see [REDACTED:ticket] now")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("patterns:\n- name: bad\n  pattern: '('\n", "patterns[0].pattern"),
        ("surprise: 1\n", "surprise"),
        ("disable: [no-such-rule]\n", "no-such-rule"),
        ("patterns: [\n", "line"),
        ("just text\n", "mapping"),
    ],
)
def test_a_wrong_rules_file_stops_the_start_and_says_where(
    content: str, named: str, tmp_path: Path
) -> None:
    """One line that names the file and the field, no traceback, exit code 1."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(content)

    for command in ([*warm_relayscope(), "sanitize", "-"], [str(SCRIPTS / "relayscope"), "serve"]):
        finished = run(
            [*command, "--sanitizer-rules", str(rules)],
            host_environment(RELAYSCOPE_DATA_DIR=str(tmp_path / "data")),
        )
        assert finished.returncode == 1
        assert str(rules) in finished.stderr
        assert named in finished.stderr
        assert "Traceback" not in finished.stderr
