"""`Popen.communicate`, and so `subprocess.run`, which read and write under the watched files."""

from collections.abc import Callable
from typing import Any

from .watched_reader import WatchedReader
from .watched_writer import WatchedWriter


def communicate(
    communicate: Callable[..., tuple[Any, Any]], popen: Any, args: Any, kwargs: Any
) -> tuple[Any, Any]:
    """Wrap `Popen.communicate`: what is given and returned is what crosses the pipes."""
    reader, writer = popen.stdout, popen.stdin
    if not isinstance(reader, WatchedReader) or not isinstance(writer, WatchedWriter):
        return communicate(*args, **kwargs)
    arguments = dict(zip(("input", "timeout"), args, strict=False)) | kwargs
    data = arguments.get("input")
    # After a timeout it is called again, and goes on with what it was given first.
    if data is not None and not popen._communication_started:  # noqa: SLF001  # no other way to know
        changed = writer.changed(data)
        arguments["input"] = data if changed is None else changed
    popen.stdout, popen.stdin = reader.__wrapped__, writer.__wrapped__
    try:
        output, errors = communicate(**arguments)
    finally:
        popen.stdout, popen.stdin = reader, writer
    reader.take(output)
    return output, errors
