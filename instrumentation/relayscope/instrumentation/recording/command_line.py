"""The command line of a child process, as it is recorded."""

import re
from typing import Final

from relayscope.sanitizer import Sanitizer

_LONGEST: Final = 4096
"""Characters of a command line that are kept."""

# `bob:hunter2@db.example:5432`, as an argument or as the value of an option. In other texts
# this is more often an address with a port, or a version; in these: `npm:NAME@VERSION` and
# `IMAGE:TAG@sha256:DIGEST`.
_CREDENTIALS: Final = re.compile(
    r"""(?<![^\s='"])(?!(?:npm|jsr):)[\w.+-]{1,64}:(?![/\\])[^\s'"]{1,256}@(?!sha256:)[\w.\[-]"""
)


def clean_command_line(sanitizer: Sanitizer, command_line: str) -> str:
    """Return whole words of a command line, without the password of a `user:password@host`.

    Other secrets are left to the sanitizer, which gets the record that the command line is in. Half
    of a secret would not be recognised, so no word is cut in two.
    """
    kept = command_line
    if len(kept) > _LONGEST:
        kept = kept[:_LONGEST].rpartition(" ")[0] + " ..."
    return _CREDENTIALS.sub(lambda found: _cut(sanitizer, found[0]), kept)


def _cut(sanitizer: Sanitizer, credentials: str) -> str:
    """Return credentials as the sanitizer leaves them in a URL, whose rules may be the user's."""
    return sanitizer.text(f"://{credentials}").removeprefix("://")
