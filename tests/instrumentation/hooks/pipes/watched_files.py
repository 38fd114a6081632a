"""Comparison of a watched file with one like it that nobody watches, whatever is done with both."""

import io
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.examples import examples

NUMBERS = st.sampled_from([None, -7, -1, 0, 1, 5, 64, 5000, True, 1.5, "1"])
ATTRIBUTES = (
    *("closed", "encoding", "errors", "newlines", "line_buffering", "write_through", "mode"),
    *("buffer", "raw", "read", "read1", "readall", "readinto", "readinto1", "peek", "write"),
    *("writelines", "detach", "reconfigure", "getvalue", "nonsense", "__next__", "__len__"),
)
CALLS = ("isatty", "readable", "writable", "seekable", "tell", "truncate", "flush", "__enter__")


Step = tuple[str, tuple[Any, ...]]


def step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    """Return a strategy for a call of a method."""
    return st.tuples(st.just(name), st.tuples(*arguments))


OF_ANY = st.one_of(
    step("attribute", st.sampled_from(ATTRIBUTES)),
    st.sampled_from(CALLS).flatmap(step),
    step("seek", NUMBERS),
    step("reconfigure", st.just("latin-1")),
    *map(step, ("close", "__exit__", "go to buffer", "go to raw", "go to detach")),
)
READS = st.one_of(
    *(step(name, NUMBERS) for name in ("read", "readline", "readlines", "read1", "peek")),
    *(step(name) for name in ("read", "readline", "readlines", "read1", "readall")),
    *(step(name, st.sampled_from([0, 3, 5000])) for name in ("readinto", "readinto1")),
    step("next"),
    step("iterate"),
)


def outcome(  # noqa: PLR0911  # one case for each kind of step
    file: Any, name: str, arguments: tuple[Any, ...]
) -> tuple[Any, Any]:
    """Return what becomes of a step, and the file to go on with."""
    match name, arguments:
        case "attribute", (attribute,):
            value = getattr(file, attribute)
            return ("a method" if callable(value) else value.__class__), file
        case "next", _:
            return next(file), file
        case "iterate", _:
            return list(file), file
        case (("readinto" | "readinto1"), (size,)):
            buffer = bytearray(size)
            return (getattr(file, name)(buffer), bytes(buffer)), file
        case "reconfigure", (encoding,):
            return file.reconfigure(encoding=encoding), file
        case "__exit__", _:
            return file.__exit__(None, None, None), file
        case "go to detach", _:
            under = file.detach()
            return under.__class__, under
        case _ if name.startswith("go to"):
            under = getattr(file, name.removeprefix("go to "))
            assert under is getattr(file, name.removeprefix("go to "))
            return under.__class__, under
        case "__enter__", _:
            assert file.__enter__() is file
            return None, file
    return getattr(file, name)(*arguments), file


def tried(file: Any, taken: Step) -> tuple[Any, Any]:
    """Return what becomes of a step, or how it fails, and the file to go on with."""
    try:
        result, file = outcome(file, *taken)
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever one raises, the other shall
        return (type(error), getattr(error, "characters_written", None)), file
    if isinstance(result, io.IOBase):
        return result.__class__, file
    return (type(result), result), file


Files = tuple[Any, Any]
"""A file, and one like it that is watched."""

patiently = settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def compare(files: Files, steps: list[Step]) -> None:
    """Do the same with both files, each step with what the one before has led to; close them."""
    own, watched = files
    layers = [own, watched]
    try:
        for taken in steps:
            expected, own = tried(own, taken)
            found, watched = tried(watched, taken)
            layers += [own, watched]
            assert found == expected, taken
    finally:
        # What was detached would stay open.
        close(*reversed(layers))


def close(*files: Any) -> None:
    """Close files, of which some may be closed, detached, or in the middle of a character."""
    for file in files:
        with suppress(ValueError, OSError):
            file.close()
