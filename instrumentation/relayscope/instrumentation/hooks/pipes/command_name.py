"""The name of a command: what it runs, after the launchers that run it.

`npx -y @acme/files /srv` is `npx @acme/files`, and `sh -c 'exec python -um acme.time'` is
`python -m acme.time`. Launchers have options that take a value, which is not what is run. A word
right behind the program tells two backends of one program apart: `python backend.py mars`.
"""

import os
import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, NamedTuple

_LONGEST: Final = 200
"""Characters of a name; a host may start anything."""

_MOST_WORDS: Final = 64
_MOST_READ: Final = 4096
"""Characters that are read of what a shell is given: it takes 2 us for each."""

_SUFFIXES: Final = {".py", ".pyz", ".js", ".mjs", ".cjs", ".ts", ".mts", ".jar", ".rb", ".sh"}
_COMMON: Final = {"__main__", "app", "cli", "index", "main", "server"}
"""Names that many scripts have: such a script is known by its folder."""
_OF_BUILDS: Final = {"bin", "build", "dist", "lib", "out", "src"}
"""Folders that many programs have."""
_ASSIGNMENT: Final = re.compile(r"\w+=")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z-]{0,31}")
_OF_ANY: Final = {"dev", "http", "mcp", "run", "serve", "server", "sse", "start", "stdio"}
"""Words behind a script that say nothing of which backend it is."""
_MODULE: Final = re.compile(r"-[A-Za-z]*m")
_CODE: Final = re.compile(r"-[A-Za-z]*[ce]|--(eval|print|call)")


class _Run(NamedTuple):
    """The program that a command runs.

    Attributes:
        parts: Launchers, and the program as the last one.
        word: The word behind it, or nothing.
    """

    parts: Sequence[str] = ()
    word: str = ""


def name_of(words: Sequence[str]) -> str:
    """Return the name of a command."""
    run = _run(words[:_MOST_WORDS])
    return " ".join([*run.parts, *filter(None, [run.word])])[:_LONGEST]


def program_of(words: Sequence[str]) -> str:
    """Return the name of what a command runs, as short as a service is called."""
    run = _run(words[:_MOST_WORDS])
    parts = [part for part in run.parts if not part.startswith("-")]
    if not parts:
        return ""
    word = "" if run.word in _OF_ANY else run.word
    return "-".join(filter(None, [PurePath(parts[-1]).stem, word]))[:_LONGEST]


def words_of(command: str) -> list[str]:
    """Return the words of what a shell is given."""
    command = command[:_MOST_READ]
    try:
        words = shlex.split(command, posix=os.name == "posix")
    except ValueError:
        words = command.split()
    return [word.strip('"') for word in words[:_MOST_WORDS]]


def _run(words: Sequence[str]) -> _Run:
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    if not words:
        return _Run()
    path, rest = PurePath(words[0]), words[1:]
    program = path.stem if path.suffix.lower() in {".exe", ".cmd", ".bat"} else path.name
    kind = re.sub(r"[\d.]+$", "", program)
    inner = _inner(kind, rest)
    if inner is not None:
        run = _run(inner)
        return run if run.parts else _Run([program])
    if kind in _LAUNCHERS:
        run = _LAUNCHERS[kind].run(rest)
        return _Run([program, *run.parts], run.word)
    if path.suffix in _SUFFIXES:
        return _Run([_script(words[0])], _telling(rest))
    return _Run([program], _word(rest))


def _word(words: Sequence[str]) -> str:
    """Return the first of the words behind a program, if it is no option, path or value."""
    return words[0] if words and _WORD.fullmatch(words[0]) else ""


def _telling(words: Sequence[str]) -> str:
    """Return such a word if it is not one that any backend could be started with."""
    word = _word(words)
    return "" if word in _OF_ANY else word


def _inner(kind: str, words: Sequence[str]) -> Sequence[str] | None:
    """Return the command that a program runs which says nothing of it; None if it is none."""
    if kind in _WRAPPERS:
        return _after_options(words, _WRAPPERS[kind])
    if kind in _SHELLS:
        return words_of("".join(_after_options(words)[:1]))
    return [word for word in words if word[:1] != "/"] if kind == "cmd" else None


def _after_options(words: Sequence[str], valued: Iterable[str] = ()) -> Sequence[str]:
    """Return the words after options and assignments."""
    place = 0
    while place < len(words) and (words[place][:1] == "-" or _ASSIGNMENT.match(words[place])):
        place += 2 if words[place] in valued else 1
    return words[place:]


def _script(path: str) -> str:
    script = PurePath(path)
    folders = [part for part in script.parts[:-1] if part.strip("/\\.")]
    if script.stem not in _COMMON or not folders:
        return script.name
    return "/".join((next((f for f in reversed(folders) if f not in _OF_BUILDS), ""), script.name))


def _of_script(words: Sequence[str]) -> _Run:
    name = words[0] if words[0][:1] == "@" else _script(words[0])
    return _Run([name], _telling(words[1:]))


def _of_package(words: Sequence[str]) -> _Run:
    return _Run([words[0]], _telling(words[1:]))


@dataclass(frozen=True)
class _Launcher:
    """A program that runs another.

    Attributes:
        name: Says what is run by the words that begin with it.
        valued: Options that take a value.
        subcommands: Words of which there is one before what is run, and others run nothing.
    """

    name: Callable[[Sequence[str]], _Run]
    valued: str = ""
    subcommands: str = ""

    def run(self, words: Sequence[str]) -> _Run:
        """Return what is run with these words, and subcommands before it."""
        valued, subcommands = self.valued.split(), self.subcommands.split()
        parts: list[str] = []
        while words := list(words):
            word = words.pop(0)
            if _MODULE.fullmatch(word) or word in {"--module", "-jar"}:
                option = "-m" if word != "-jar" else word
                return _Run([*parts, option, *map(_file, words[:1])], _telling(words[1:]))
            if word in valued:
                del words[:1]
            elif _CODE.fullmatch(word):
                return _Run([*parts, word])
            elif word[:1] == "-":
                continue
            elif word in subcommands:
                parts.append(word)
            elif subcommands and not parts:
                return _Run([word])
            else:
                run = self.name([word, *words])
                return _Run([*parts, *run.parts], run.word)
        return _Run(parts)


def _file(module: str) -> str:
    return PurePath(module).name


_PACKAGE: Final = _Launcher(
    _of_package,
    "-p --package --registry --cache --prefix --userconfig -w --workspace --from --with --python"
    " --with-editable --with-requirements --index --index-url --extra-index-url --default-index"
    " --env-file --directory --project --constraints --overrides --refresh-package --spec",
)
_OF_UV: Final = (
    "--directory --project --with --with-editable --with-requirements -p --python --extra --group"
    " --package --env-file --index --index-url --extra-index-url --default-index --config-file"
    " --only-group --no-group --no-extra --refresh-package --cache-dir"
)
_OF_DOCKER: Final = (
    "-e --env --env-file -v --volume --mount --name -p --publish --network --net -w --workdir -u"
    " --user --entrypoint -m --memory --cpus --platform -l --label --add-host --pull --restart"
    " --gpus --tmpfs --security-opt --cap-add --cap-drop --device --dns -h --hostname --ulimit"
    " --shm-size --log-driver --log-opt --runtime --ipc --pid -a --attach --cidfile --link --expose"
    " --userns --stop-signal --secret -H --host --context --config -f --file"
)
_LAUNCHERS: Final = {
    "python": _Launcher(_of_script, "-X -W --check-hash-based-pycs"),
    "node": _Launcher(
        _of_script, "-r --require --import --loader --experimental-loader -C --conditions"
    ),
    "java": _Launcher(_of_package, "-cp -classpath --class-path --module-path -p"),
    "tsx": _Launcher(_of_script, "--tsconfig"),
    "deno": _Launcher(_of_script, "-c --config --import-map --lock", "run"),
    "bun": _Launcher(_of_script, "--cwd --config -c --preload -r", "run x"),
    "npx": _PACKAGE,
    "bunx": _PACKAGE,
    "uvx": _PACKAGE,
    "pipx": _Launcher(_of_package, _PACKAGE.valued, "run"),
    "npm": _Launcher(_of_package, _PACKAGE.valued, "exec x run start"),
    "pnpm": _Launcher(_of_package, _PACKAGE.valued + " -C --dir --filter", "dlx exec run start"),
    "yarn": _Launcher(_of_package, _PACKAGE.valued + " --cwd", "dlx exec run start"),
    "uv": _Launcher(_run, _OF_UV + " --from", "run tool x"),
    "poetry": _Launcher(_run, "-C --directory -P --project", "run"),
    "pdm": _Launcher(_run, "-p --project", "run"),
    "hatch": _Launcher(_run, "-e --env -p --project", "run"),
    "conda": _Launcher(_run, "-n --name -p --prefix --cwd", "run"),
    "fastmcp": _Launcher(_of_script, _OF_UV + " -t --transport --host --port", "run"),
    "docker": _Launcher(_of_package, _OF_DOCKER, "run exec compose container"),
    "podman": _Launcher(_of_package, _OF_DOCKER, "run exec compose container"),
}

_SHELLS: Final = {"sh", "bash", "dash", "zsh"}
_WRAPPERS: Final[dict[str, tuple[str, ...]]] = {
    "env": ("-u", "--unset", "-C", "--chdir"),
    "exec": ("-a",),
    "nice": ("-n",),
    "nohup": (),
    "sudo": ("-u", "-g"),
    "stdbuf": ("-i", "-o", "-e"),
    "opentelemetry-instrument": (),
    "relayscope-instrument": ("--service-name", "--level", "--profile", "--profiles"),
}
"""Programs that run another and say nothing of it, each with its options that take a value."""
