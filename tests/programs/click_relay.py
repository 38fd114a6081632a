"""A relay written with Click: its streams to its client are Click's, a child is its backend.

usage: click_relay.py COMMAND ...

It says answers with `click.echo`, and reads with `click.open_file`, which is how `click.File`
arguments are opened too. It knows nothing of relayscope.
"""

import subprocess
import sys
import threading
from typing import IO

import click


def pass_on(answers: IO[str]) -> None:
    """Say what the backend says."""
    for line in answers:
        click.echo(line, nl=False)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def main(command: tuple[str, ...]) -> None:
    """Relay until the client closes its end."""
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", bufsize=1
    )
    assert child.stdin is not None
    assert child.stdout is not None
    saying = threading.Thread(target=pass_on, args=(child.stdout,))
    saying.start()
    with click.open_file("-", encoding="utf-8") as requests:
        for line in requests:
            child.stdin.write(line)
    child.stdin.close()
    saying.join()
    sys.exit(child.wait())


if __name__ == "__main__":
    main()
