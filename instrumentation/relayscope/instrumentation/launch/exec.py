"""Becoming another program: what runs from then on, and ends, is that one."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

if sys.platform == "win32":
    import signal
    import subprocess

    def replace_process(executable: str, arguments: Sequence[str]) -> NoReturn:
        """Run a program in place of this one, and end as it ends.

        Windows cannot replace a program: its exec starts another process and ends this one at
        once, and a shell or an MCP client takes that for the end.

        Raises:
            OSError: It cannot be started.
        """
        # A console gives Ctrl-C and Ctrl-Break to both; what becomes of them is the program's.
        for number in (signal.SIGINT, signal.SIGBREAK):
            signal.signal(number, signal.SIG_IGN)
        code = subprocess.run(  # noqa: S603  # the program that the user wants to be run
            [executable, *arguments], check=False
        ).returncode
        # What Windows itself ends has a code above those that sys.exit takes.
        sys.exit(code if code < 2**31 else code - 2**32)

else:

    def replace_process(executable: str, arguments: Sequence[str]) -> NoReturn:
        """Run a program in place of this one.

        Raises:
            OSError: It cannot be started.
        """
        # Python has no file for what whoever started it has closed.
        for file in filter(None, (sys.stdout, sys.stderr)):
            file.flush()
        os.execv(executable, [executable, *arguments])  # noqa: S606  # the user's own program
