"""The name of a command: what it runs, after the launchers that run it.

`npx -y @acme/files /srv` is `npx @acme/files`, and `sh -c 'exec python -um acme.time'` is
`python -m acme.time`. Launchers have options that take a value, which is not what is run.
"""

import os
import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

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
_SUBCOMMAND: Final = re.compile(r"[A-Za-z][A-Za-z-]{0,31}")
_MODULE: Final = re.compile(r"-[A-Za-z]*m")
_CODE: Final = re.compile(r"-[A-Za-z]*[ce]|--(eval|print|call)")


def name_of(words: Sequence[str]) -> str:
    """Return the name of a command."""
    return " ".join(_run(words[:_MOST_WORDS]))[:_LONGEST]


def program_of(words: Sequence[str]) -> str:
    """Return the last part of a command's name, as short as a service is called."""
    parts = [part for part in _run(words[:_MOST_WORDS]) if not part.startswith("-")]
    return PurePath(parts[-1]).stem[:_LONGEST] if parts else ""


def words_of(command: str) -> list[str]:
    """Return the words of what a shell is given."""
    command = command[:_MOST_READ]
    try:
        words = shlex.split(command, posix=os.name == "posix")
    except ValueError:
        words = command.split()
    return [word.strip('"') for word in words[:_MOST_WORDS]]


def _run(words: Sequence[str]) -> list[str]:
    """Return the parts of a command's name."""
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    if not words:
        return []
    path, rest = PurePath(words[0]), words[1:]
    program = path.stem if path.suffix.lower() in {".exe", ".cmd", ".bat"} else path.name
    kind = re.sub(r"[\d.]+$", "", program)
    inner = _inner(kind, rest)
    if inner is not None:
        return _run(inner) or [program]
    if kind in _LAUNCHERS:
        return [program, *_LAUNCHERS[kind].run(rest)]
    if path.suffix in _SUFFIXES:
        return [_script(words[0])]
    return [program, *(word for word in rest[:1] if _SUBCOMMAND.fullmatch(word))]


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


def _of_script(words: Sequence[str]) -> list[str]:
    return [words[0] if words[0][:1] == "@" else _script(words[0])]


def _of_package(words: Sequence[str]) -> list[str]:
    return [words[0]]


@dataclass(frozen=True)
class _Launcher:
    """A program that runs another.

    Attributes:
        name: Makes parts of a name of the words that begin with what is run.
        valued: Options that take a value.
        subcommands: Words of which there is one before what is run, and others run nothing.
    """

    name: Callable[[Sequence[str]], list[str]]
    valued: str = ""
    subcommands: str = ""

    def run(self, words: Sequence[str]) -> list[str]:
        """Return the parts of the name of what is run with these words."""
        valued, subcommands = self.valued.split(), self.subcommands.split()
        parts: list[str] = []
        while words := list(words):
            word = words.pop(0)
            if _MODULE.fullmatch(word) or word in {"--module", "-jar"}:
                return [*parts, "-m" if word != "-jar" else word, *map(_file, words[:1])]
            if word in valued:
                del words[:1]
            elif _CODE.fullmatch(word):
                return [*parts, word]
            elif word[:1] == "-":
                continue
            elif word in subcommands:
                parts.append(word)
            elif subcommands and not parts:
                return [word]
            else:
                return [*parts, *self.name([word, *words])]
        return parts


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
