"""Promises of `make release`: what it writes, and what it refuses to write."""

import pytest

from tests.release import dated, versioned

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-02\n"


def test_what_was_unreleased_gets_the_version_and_the_day() -> None:
    """The heading for what comes next stays, with nothing under it."""
    assert dated(CHANGELOG, "0.2.0", "2026-03-04").startswith(
        "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-03-04\n\n### Added\n\n- A thing.\n"
    )


@pytest.mark.parametrize(
    ("changelog", "why"),
    [
        (CHANGELOG.replace("0.1.0", "0.2.0"), "has a version 0.2.0 already"),
        (CHANGELOG.replace("### Added\n\n- A thing.\n", ""), "nothing under"),
        ("# Changelog\n", "nothing under"),
    ],
)
def test_a_release_without_news_or_of_an_old_version_is_refused(changelog: str, why: str) -> None:
    """Before anything is written."""
    with pytest.raises(ValueError, match=why):
        dated(changelog, "0.2.0", "2026-03-04")


def test_only_the_projects_own_version_is_written() -> None:
    """Not that of a dependency or of a tool."""
    project = 'version = "0.1.0"\ndependencies = ["x==0.1.0"]\n[tool]\nversion = "0.1.0"\n'
    assert versioned(project, "0.2.0rc1") == project.replace("0.1.0", "0.2.0rc1", 1)
    with pytest.raises(ValueError, match="is no version"):
        versioned(project, "v2")
