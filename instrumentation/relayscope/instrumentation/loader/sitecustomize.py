"""Loads OpenTelemetry and relayscope into a process that is meant to be traced, and no other.

A traced process gives its variables to every child that it starts, and so this. Those that it
starts with `subprocess` or asyncio are not given it (`hooks/pipes/child_process.py`); all others
find out here, before anything is imported: the first Python that comes here is meant, and it notes
its process id and its command for those that come after it. Meant are also a program that starts
itself anew, as those do that reload, and the processes of `multiprocessing`. A subinterpreter is
left alone: some do without threads and most extension modules, and none may end before its threads.

Any Python may come here, also an old one, or one without relayscope.
"""

import os
import sys
from binascii import crc32

_TRACED = "_RELAYSCOPE_TRACED"
_OURS = (
    "OTEL_PYTHON_DISTRO",
    "OTEL_PYTHON_CONFIGURATOR",
    "OTEL_TRACES_EXPORTER",
    "OTEL_LOGS_EXPORTER",
)
_here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  # pathlib takes 5 ms
_words = getattr(sys, "orig_argv", [])[1:]
_command = str(crc32(repr(_words).encode("ascii", "backslashreplace")))
_pid, _, _rest = os.environ.get(_TRACED, "").partition(" ")
_its_command, _, _its_name = _rest.partition(" ")

_is_itself = (
    _pid in ("", str(os.getpid()))
    or _command == _its_command
    or "--multiprocessing-fork" in _words
    or any(word.startswith("from multiprocessing.forkserver ") for word in _words)
)


def _is_further():  # noqa: ANN202  # Python 2 has no annotations
    # type: () -> bool
    """Return whether this is a subinterpreter; none is there before the first Python is traced."""
    if not _pid:
        return False
    for name in ("_interpreters", "_xxsubinterpreters"):  # The second until Python 3.12.
        try:
            interpreters = __import__(name)
            return bool(interpreters.get_current() != interpreters.get_main())
        except (ImportError, AttributeError):
            pass
    return False


_is_left_alone = _is_further()  # The variables are its process's, and stay.
_is_meant = _is_itself or os.environ.get("RELAYSCOPE_INSTRUMENT_CHILDREN", "").lower() == "true"
_loading = None  # A module, where there is one.

if __name__ == "sitecustomize":
    if _is_left_alone:
        pass
    elif _is_meant:
        try:
            from relayscope.instrumentation import loading as _loading  # type: ignore[assignment]
        except Exception:  # noqa: BLE001  # whatever a Python says to what is not for it
            _quiet = os.environ.get("RELAYSCOPE_QUIET", "").strip().lower()
            if _is_itself and sys.stderr and _quiet in ("", "0", "false"):
                _who = str(sys.executable)
                _cure = ""
                if os.sep + "uv" + os.sep in _who:  # In uv's cache, where nobody installs anything.
                    _cure = " (give uvx, or uv run, --with relayscope)"
                _what = " has no relayscope; it is not seen" + _cure
                sys.stderr.write("relayscope: " + _who + _what + "\n")
    else:
        _path = os.environ.pop("PYTHONPATH", "").split(os.pathsep)
        _others = [path for path in _path if path and path != _here]
        if _others:
            os.environ["PYTHONPATH"] = os.pathsep.join(_others)
        os.environ.pop(_TRACED, None)
        for _name in _OURS:
            if os.environ.get(_name) == "relayscope":
                del os.environ[_name]
    if _loading is None:
        # The one that Python would have found without this; `site` takes an error for what it is.
        sys.path[:] = [path for path in sys.path if path != _here]
        del sys.modules["sitecustomize"]
        __import__("sitecustomize")
    elif _is_itself:
        _loading.load(_command)
    else:
        _loading.load_child(_command, _its_name)
