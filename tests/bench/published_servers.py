"""Published MCP servers, what is asked of them, and what they need to answer."""

import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from tests.bench.text_kinds import KINDS
from tests.fix_programs import free_port

_COMMIT: Final = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit"]


class Call(NamedTuple):
    """A tool of a published server, and its arguments."""

    name: str
    command: list[str]
    tool: str
    arguments: dict[str, Any]


@contextmanager
def calls(folder: Path) -> Iterator[list[Call]]:
    """Make a repository, a page, a source file and an image, and yield the calls that read them."""
    source = KINDS["Python source"].text(Random(1), 50_000, secret=False)
    (folder / "source.py").write_text(source)
    # No file server from PyPI that runs under Python answers with an image content.
    (folder / "image.b64").write_text(b64encode(Random(2).randbytes(100_000)).decode())
    (folder / "page.html").write_text(KINDS["HTML"].text(Random(3), 4_000, secret=False))
    for command in (["git", "init", "-q"], ["git", "add", "."], [*_COMMIT, "-qm", "first"]):
        subprocess.run(command, cwd=folder, check=True)
    port = free_port()
    web = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    page = f"http://127.0.0.1:{port}/page.html"
    files = ["filesystem-mcp", str(folder)]
    process = subprocess.Popen(
        web, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield [
            Call(
                "time: get_current_time",
                ["mcp-server-time"],
                "get_current_time",
                {"timezone": "Europe/Berlin"},
            ),
            Call("git: git_log", ["mcp-server-git"], "git_log", {"repo_path": str(folder)}),
            Call(
                "fetch: a local page",
                ["mcp-server-fetch", "--ignore-robots-txt", "--allow-private-ips"],
                "fetch",
                {"url": page, "raw": True},
            ),
            Call("files: source, 50 kB", files, "read_file", {"path": str(folder / "source.py")}),
            Call(
                "files: base64 of 100 kB", files, "read_file", {"path": str(folder / "image.b64")}
            ),
        ]
    finally:
        process.terminate()
        process.wait()
