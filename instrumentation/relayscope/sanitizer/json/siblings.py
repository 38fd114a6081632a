"""Members of a JSON object that say what others hold: a name beside a value, the type of a key."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from relayscope.sanitizer.values.harmless import is_odd

from .members import COMPANIONS, may_be_lexical
from .strings import JsonString
from .values import JsonValues, Member, Place

_NAMING: Final = frozenset({"name", "key", "header", "label", "field", "variable", "path"}) | {
    *("element", "selector"),
}
_VALUES: Final = frozenset({"value", "text", "val"})
"""A member of the first says whatever a member of the second is."""

_MAYBE_NAMING: Final = _NAMING | {
    *("title", "id", "k", "n", "type", "property", "attribute", "parameter", "param", "setting"),
    *("option", "question", "prompt"),
}
_MAYBE_VALUES: Final = _VALUES | {
    *("v", "content", "data", "values", "default", "example", "answer", "response", "input"),
}
"""The same, if the value looks like a secret."""

_DECLARED: Final = frozenset({"value", "result"})

_HUMP = re.compile(r"[_.\s-]|(?<=[a-z0-9])(?=[A-Z])")
_OWN_NAME = re.compile(r'"([A-Za-z_.-]{1,32})"[ \t\r\n]*+:[ \t\r\n]*+["\[]\Z')
_NEXT_OBJECT = re.compile(r"[ \t\r\n]*+\}[ \t\r\n]*+,[ \t\r\n]*+\{")
_NEAR: Final = 96
"""Characters before a value in which its name stands."""

_BESIDE: Final = 16
"""Members of one object that are looked at for a sibling."""

_LONG: Final = 16
"""Characters of a secret that is one beside another only: a `code` can be an error's, too."""

_WORDS: Final = 2
"""Of a secret: a scheme may stand before it."""

_LISTING: Final = frozenset("[,")
_ARGUMENTS: Final = frozenset({"args", "argv", "arguments", "parameters", "params"}) | {
    *("values", "bindings", "binds", "replacements"),
}
"""Members that list the arguments of a command, or of a statement, beside them."""

_PRIVATE: Final = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth", "priv"})
"""Members of a JSON Web Key that are secret (RFC 7518, 6.2.2, 6.3.2 and 6.4.1)."""

_OF_TEXT: Final = frozenset(
    {
        *("logprob", "toplogprobs", "bytes", "prob", "probability", "score", "rank", "tokenid"),
        *("tokenstr", "startoffset", "endoffset", "start", "end", "offset", "position", "pos"),
        *("span", "loc", "range", "line", "lineno", "column", "col", "lemma", "dep", "stem"),
        *("upos", "xpos", "entity", "lexeme", "tokentype", "embedding", "attention"),
        *("frequency", "special", "rstrip"),
    }
)
"""Members beside a token of a text: of a language model, a search engine, a lexer."""

_OF_COIN: Final = frozenset(
    {"symbol", "decimals", "chain", "chainid", "contract", "network", "balance", "amount", "price"}
)
"""Members beside a token that is money."""

_COIN = re.compile(r"[A-Z]{2,6}")
_DESIGN_VALUE = re.compile(
    r"#[0-9a-fA-F]{3,8}|-?[0-9.]{1,8}(?:px|r?em|%|m?s|v[hw]|pt|deg|fr)|(?:var|calc|rgba?|hsla?)\(.*\)"
)

_MANY: Final = 256
"""Members of a JSON Web Key that are looked at."""


class JsonSiblings:
    """The objects of one text, as far as their members tell of each other."""

    def __init__(self, text: str, values: JsonValues) -> None:
        self._text = text
        self._values = values
        self._keys_end = 0

    def named(self, string: JsonString) -> int | None:
        """Return the start of the value that a string names: `{"name": "KEY", "value": "x"}`."""
        own = own_name(self._text, string.start)
        prefix, word = _parted(own)
        if word not in _MAYBE_NAMING:
            return None
        behind = islice(self._values.members_behind(string.end + 1), _BESIDE)
        return _value(prefix, word, behind) or _value(prefix, word, self._before(string))

    def next_run(self, string: JsonString) -> int | None:
        """Return the start of the value in a text's next run, or in the answer to a question.

        `[{"t": "Key: "}, {"t": "x"}]`
        """
        if not string.text.rstrip().endswith((":", "?")):
            return None
        end = string.end + 1
        for member in islice(self._values.members_behind(end), _BESIDE):
            end = member.place.end
        found = _NEXT_OBJECT.match(self._text, end)
        if found is None:
            return None
        own = own_name(self._text, string.start)
        for member in islice(self._values.members(found.end()), _BESIDE):
            if member.name == own and looks_secret(member.place):
                return member.place.start
        return None

    def is_lexical(self, name: JsonString, value: str) -> bool:
        """Return whether neighbours show that a token is one of a text, a design or a currency."""
        if not may_be_lexical(name.text, value):
            return False
        mark = name.start - 1
        around = (*islice(self._values.members(mark), _BESIDE), *self._before_member(mark))
        is_coin = _COIN.fullmatch(value) is not None
        return any(_tells_of_token(member, is_coin=is_coin) for member in around)

    def private(self, kty: JsonString) -> Iterator[int]:
        """Yield the starts of the secret values in the JSON Web Key that has this `kty`."""
        mark = kty.start - 1
        if mark < self._keys_end:
            return
        behind = islice(self._values.members(mark), _MANY)
        for member in (*self._values.members_before(mark), *behind):
            self._keys_end = member.place.end
            if member.name in _PRIVATE:
                yield member.place.start

    def declared(self, flag: JsonString) -> int | None:
        """Return the start of the value that a member declares a secret: `{"sensitive": true}`."""
        mark = flag.start - 1 if flag.is_name() else self._own_mark(flag)
        around = (*self._before_member(mark), *islice(self._values.members(mark), _BESIDE))
        values = (each.place.start for each in around if each.name.lower() in _DECLARED)
        return next(values, None)

    def companion(self, name: JsonString) -> int | None:
        """Return the start of the value that is secret because it stands beside this member."""
        wanted = COMPANIONS.get(name.text)
        if wanted is None or f'"{wanted}"' not in self._text:
            return None
        mark = name.start - 1
        around = (*self._before_member(mark), *islice(self._values.members(mark), _BESIDE))
        places = (each.place for each in around if each.name == wanted)
        return next((each.start for each in places if _is_long_secret(each)), None)

    def arguments(self, command: JsonString) -> Iterator[Place]:
        """Yield the arguments behind a command, in its list or in that of a member beside it."""
        if not own_name(self._text, command.start) or command.precedes in _LISTING:
            return self._values.items_behind(command.end + 1)
        behind = islice(self._values.members_behind(command.end + 1), _BESIDE)
        lists = (each.place.start for each in behind if each.name in _ARGUMENTS)
        start = next((at for at in lists if self._text.startswith("[", at)), None)
        return iter(()) if start is None else self._values.items(start + 1)

    def _before(self, string: JsonString) -> list[Member]:
        return self._before_member(self._own_mark(string))

    def _own_mark(self, string: JsonString) -> int:
        """Return the first quotation mark of the name of which a string is the value."""
        return self._text.rfind('"', 0, self._text.rfind('"', 0, string.start - 1))

    def _before_member(self, mark: int) -> list[Member]:
        return self._values.members_before(mark)[-_BESIDE:]


def own_name(text: str, start: int) -> str:
    """The name of the member whose value opens right before a place; empty if there is none."""
    found = _OWN_NAME.search(text[max(0, start - _NEAR) : start])
    return found[1] if found else ""


def looks_secret(place: Place) -> bool:
    """Return whether a value of an ambiguous name looks like a secret, or was cut off."""
    value: Any = place.value
    if not place.is_whole:
        return True
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, str):
        return False
    words = value.split(None, _WORDS)
    return 0 < len(words) <= _WORDS and is_odd(words[-1])


def _is_long_secret(place: Place) -> bool:
    return place.end - place.start > _LONG and looks_secret(place)


def _tells_of_token(member: Member, *, is_coin: bool) -> bool:
    name = "".join(_parted(member.name)).lstrip("$")
    if name in _OF_TEXT or (is_coin and name in _OF_COIN):
        return True
    value = member.place.value
    return name == "value" and isinstance(value, str) and bool(_DESIGN_VALUE.fullmatch(value))


def _value(prefix: str, word: str, members: Iterator[Member] | list[Member]) -> int | None:
    for member in members:
        other, kind = _parted(member.name)
        if kind not in _MAYBE_VALUES or other not in {prefix, ""}:
            continue
        is_certain = word in _NAMING and kind in _VALUES
        if is_certain or looks_secret(member.place):
            return member.place.start
    return None


def _parted(name: str) -> tuple[str, str]:
    """The words of a name before the last one, and the last one: `ParameterKey`."""
    *before, last = _HUMP.split(name)
    return "".join(before).lower(), last.lower()
