"""The user that this process runs as, and what is that user's alone.

Windows says both in other ways. There, folders in a profile, the temporary one among them, are
private to their user from the start, and a file shows no owner and no rights of others.
"""

import os
import stat
import sys

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

if sys.platform == "win32":

    def user_id() -> int:
        """Return the number that `os.stat` shows as every owner's."""
        return 0

    def is_ours(found: os.stat_result) -> bool:  # noqa: ARG001  # it shows nothing
        """Whether something is this user's alone to write to."""
        return True

else:

    def user_id() -> int:
        """Return the number of the user."""
        return os.geteuid()

    def is_ours(found: os.stat_result) -> bool:
        """Whether something is this user's alone to write to."""
        return found.st_uid == user_id() and not found.st_mode & _WRITABLE_BY_OTHERS
