"""Reads the corpus' files: `README.md` beside this one says how they are written."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relayscope.sanitizer import Value

_HERE: Final = Path(__file__).parent
_PARTED: Final = re.compile(r"^%%(.*)\n", re.MULTILINE)
_MARKED: Final = re.compile(r"<<(.+?)>>", re.DOTALL)
_NAME: Final = 72


@dataclass(frozen=True, slots=True)
class Example:
    """One text or value of the corpus.

    Attributes:
        kind: the kind of a harmless text, or the format that a secret stands in.
        name: tells it from the others of its kind.
        value: the input of the sanitizer.
        secrets: texts of which nothing may be left; none of a harmless text.
    """

    kind: str
    name: str
    value: Value
    secrets: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The name by which `known.txt` calls it."""
        return f"{self.kind}: {self.name}"


def harmless() -> list[Example]:
    """The texts of `harmless/`, as they are written."""
    return [
        Example(path.stem, name[:_NAME], text)
        for path in sorted((_HERE / "harmless").iterdir())
        for name, text in _parted(path)
    ]


def secrets() -> list[Example]:
    """The texts of `secrets/`, without their marks."""
    return [
        marked(path.stem, name, text)
        for path in sorted((_HERE / "secrets").iterdir())
        for name, text in _parted(path)
    ]


def marked(kind: str, name: str, text: str) -> Example:
    """A text in which secrets are marked."""
    plain = text.replace("^", "")
    found = tuple(_MARKED.findall(plain))
    assert found, f"{kind}: {name}: no secret is marked"
    return Example(kind, _unmarked(name.replace("^", ""))[:_NAME], _unmarked(plain), found)


def names() -> list[str]:
    """The sensitive names of `names.txt`."""
    return [
        name
        for line in (_HERE / "names.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
        for name in line.split()
    ]


def known() -> dict[str, str]:
    """The failures that are known, by the text's id, each with the reason."""
    failures: dict[str, str] = {}
    reason = ""
    for line in (_HERE / "known.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            reason = line[2:]
        elif line:
            failures[line] = reason
    return failures


def _parted(path: Path) -> list[tuple[str, str]]:
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".lines":
        lines = content.splitlines()
        return [(line, line) for line in lines if line and not line.startswith("# ")]
    _, *parts = _PARTED.split(content)
    return [
        (title.strip() or body.strip().partition("\n")[0], body.removesuffix("\n"))
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    ]


def _unmarked(text: str) -> str:
    return _MARKED.sub(r"\1", text)
