"""Opens files that others read, rename and delete meanwhile, and that may not be what they seem."""

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import _winapi
    import msvcrt

    # Python's own open keeps everybody from renaming and deleting a file that is open anywhere.
    # The spool does both: a segment gets its name when its header is written, and is deleted while
    # its reader may have it open.
    _SHARED = 0x1 | 0x2 | 0x4  # FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_SHARE_DELETE
    _CREATE_NEW, _OPEN_EXISTING, _OPEN_ALWAYS = 1, 3, 4
    _NORMAL = 0x80
    _NOT_FOLLOWING = 0x0020_0000  # FILE_FLAG_OPEN_REPARSE_POINT

    def open_safely(path: Path, flags: int) -> int:
        """Open a file and return its descriptor, whose content nobody translates.

        Args:
            path: The file; if it is made, then with the rights of its folder.
            flags: As for `os.open`; emptying is not among them.

        Raises:
            OSError: It cannot be opened.
        """
        access = _winapi.GENERIC_READ
        if flags & (os.O_WRONLY | os.O_RDWR):
            access |= _winapi.GENERIC_WRITE
        way = _OPEN_EXISTING
        if flags & os.O_CREAT:
            way = _CREATE_NEW if flags & os.O_EXCL else _OPEN_ALWAYS
        handle = _winapi.CreateFile(
            str(path), access, _SHARED, _winapi.NULL, way, _NORMAL | _NOT_FOLLOWING, _winapi.NULL
        )
        try:
            return msvcrt.open_osfhandle(handle, flags & os.O_APPEND)
        except BaseException:
            _winapi.CloseHandle(handle)
            raise

else:

    def open_safely(path: Path, flags: int) -> int:
        """Open a file and return its descriptor; nothing is followed, and nothing waited for.

        Args:
            path: The file; if it is made, then for its user alone.
            flags: As for `os.open`.

        Raises:
            OSError: It cannot be opened.
        """
        return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
