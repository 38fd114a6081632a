"""Promises of the commands that users are told to type."""

import json
import shlex
from pathlib import Path

import pytest

from relayscope.conventions.install_command import install_command


@pytest.mark.parametrize(
    ("origin", "package"),
    [
        (None, "relayscope[http]"),
        ({"url": "file:///a%20b/relayscope", "dir_info": {}}, "/a b/relayscope[http]"),
        (
            {"url": "https://host/r.whl", "archive_info": {}},
            "relayscope[http] @ https://host/r.whl",
        ),
        (
            {"url": "https://host/r", "vcs_info": {"vcs": "git", "commit_id": "4bf92f"}},
            "relayscope[http] @ git+https://host/r@4bf92f",
        ),
        ({"url": 7, "vcs_info": []}, "relayscope[http]"),
        ("text", "relayscope[http]"),
    ],
)
def test_relayscope_is_installed_from_where_it_has_come_from(
    origin: object, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout, a wheel or a repository is named as such: the registry may not have it."""
    folder = tmp_path / "relayscope-9.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: relayscope\nVersion: 9\n")
    if origin is not None:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(tmp_path)

    told = shlex.split(install_command("/env/bin/python", "relayscope[http]"))

    assert told == ["/env/bin/python", "-m", "pip", "install", package]


@pytest.mark.parametrize(
    ("kept", "command"),
    [
        ("uv-receipt.toml", "uv tool install"),
        ("pipx_metadata.json", "pipx install --force"),
    ],
)
def test_an_extra_of_relayscopes_own_tool_is_installed_with_it(
    kept: str, command: str, tmp_path: Path
) -> None:
    """As a tool of uv or pipx it is the environment's own package, to which nothing is added."""
    folder = tmp_path / "relayscope"
    (folder / "bin").mkdir(parents=True)
    (folder / kept).touch()

    told = install_command(str(folder / "bin/python"), "relayscope[collector]")

    assert told.startswith(f"{command} ")
    assert told.endswith("[collector]'")
