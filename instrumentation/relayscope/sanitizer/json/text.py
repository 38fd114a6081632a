"""Finds secrets in JSON text by what stands around the places where there could be one.

Only these places are read, with what belongs to them: a name and its value, a string and what is
hidden in it, an object whose members name each other. Everything else is passed over, so that a
document costs what is suspicious in it and not what surrounds that.
"""

import re
from collections.abc import Callable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Final

from relayscope.sanitizer.findings import Finding, Findings
from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.rules.replacements import Replacements
from relayscope.sanitizer.spellings.spelling import written

from .arguments import is_command, passwords
from .blocks import block, goes_on
from .bound_parameters import is_statement, parameters
from .description import Descriptions
from .schema import SAMPLES, is_path_item, is_schema
from .siblings import JsonSiblings
from .strings import JsonString, is_json, json_string
from .tables import JsonTables
from .values import JsonValues, Place

_COLON = re.compile(r"[ \t\r\n]*+:[ \t\r\n]*+")
_COMMA = re.compile(r"[ \t\r\n]*+,[ \t\r\n]*+")
_NUMBER = re.compile(r"-?[0-9]++(?:\.[0-9]*+)?(?:[eE][+-]?[0-9]*+)?(?=[ \t\r\n]*+(?:[,}\]]|\Z))")
_WORD = re.compile(r"(?:true|false|null|NaN|-?Infinity)(?=[ \t\r\n]*+(?:[,}\]]|\Z))")
_NOTHING_BEHIND = re.compile(r"""[ \t\r\n]*+[}\]](?![ \t\r\n]*+["'])""")
_NO_VALUE = re.compile(r"[}\],:]")
# The first string of a list, or one behind another that is no member's value.
_IN_LIST = re.compile(r'(?:\[|[\[,][ \t\r\n]*+"(?:[^"\\]++|\\.)*+"[ \t\r\n]*+,)[ \t\r\n]*+\Z')
_IN_LIST_OF_LISTS = re.compile(r"[\[,][ \t\r\n]*+\[[ \t\r\n]*+\Z")
_CUT_SCHEMA = re.compile(r'\{[ \t\r\n]*+"(?:type|title|description|anyOf|oneOf|allOf|\$ref)"')

_FIELD = re.compile(r"(?i)[ ](?:(?:text|input)[ ])?(?:field|input|textbox|box)\Z")
"""The kind of an element of a page, as testers write it behind its name."""

_OF_REDIS: Final = frozenset({"requirepass", "masterauth"})
_IN_HASH = re.compile(r'\[[ \t\r\n]*+"(?i:hset|hmset|hsetnx)"[^\[\]]*+\Z')
"""Lists of a command of Redis, in which a value follows its name."""

_DECLARING: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        **dict.fromkeys(("sensitive", "masked", "isSecret"), re.compile("true")),
        # Of a password that Terraform has made, and of a key in Azure.
        **dict.fromkeys(("bcrypt_hash", "override_special"), re.compile("")),
        "keyName": re.compile('"key[12]"'),
    }
)
_SECRET_TYPES: Final = frozenset({"SecureString", "CONCEALED"})
"""Members with these values, and types in AWS and 1Password, beside which the value is a secret."""

_ROUTING_KEY: Final = "routing_key"
_ROUTED = re.compile(r'"[0-9a-f]{32}"')
"""PagerDuty's key of an integration. In a message queue it is the name of a route."""

_DECLARED: Final = "secret"
_OF_SERVICE: Final = "token"
_OF_COMMAND: Final = "password"
"""Names by whose rules secrets without one go."""

_LONGEST_NAME: Final = 256
_MOST_BLANKS: Final = 5
"""Characters, and blanks among them. A longer string, or a sentence, names nothing."""

_NAME_PRECEDES: Final = frozenset("{,")
_NEAR: Final = 300
"""Characters before a string in which the item before it is looked for."""

_WINDOW: Final = 64
"""Characters in which a text that is JSON has its first bracket."""

_DEEPEST_SCHEMA: Final = 8
"""Schemas below that of a sensitive name. Each is read once more by those above it."""

_PRIVATE_KEY: Final = "private_key"
"""The name by whose rule the secrets of a JSON Web Key go."""

_RAW_HEADERS: Final = frozenset({"rawheaders", "raw_headers"})
"""Members that list names and values in turn, as Node.js does."""


class JsonText:
    """The JSON in one text. Read its strings in ascending order."""

    def __init__(
        self,
        values: JsonValues,
        findings: Findings,
        names: Names,
        replacements: Replacements,
        inside: Callable[[JsonString], list[Finding]],
    ) -> None:
        self._text = text = values.text
        self._values = values
        self._siblings = JsonSiblings(text, self._values)
        self._tables = JsonTables(text, self._values, names)
        self._descriptions = Descriptions(names, replacements.allows)
        self._blocks_end = 0
        self._findings = findings
        self._names = names
        self._replacements = replacements
        self._inside = inside
        self._whole: bool | None = None

    def read(self, string: JsonString) -> int | None:
        """Look into a string, and into what it names.

        Returns:
            The position at which to read on, or None if the string names something that is no JSON.
        """
        if string.is_name():
            self._look_into(string)
            return self._read_member(string)
        if string.precedes in _NAME_PRECEDES:
            rule = self._names.rule(string.text) if _may_be_name(string.text) else None
            if rule and self._is_lost_name(string):
                # What looks like a name can be a text that has one.
                self._look_into(string)
                return self._hide_rest(rule, string.end + 1)
        if not string.is_json():
            return None
        found = self._look_into(string)
        if found and string.end >= self._blocks_end and goes_on(string, found[-1]):
            self._hide_block(string, found[-1])
        return self._read_neighbours(string)

    def _look_into(self, string: JsonString) -> list[Finding]:
        found = self._inside(string)
        if found:
            raw = self._text[string.start : string.end]
            for finding in written(raw, string.text, found):
                start, end = string.start + finding.start, string.start + finding.end
                self._findings.add(finding.moved(start, end, finding.replacement))
        return found

    def _hide_block(self, string: JsonString, begun: Finding) -> None:
        """Hide the lines of a key whose first one is a string alone."""
        for line in block(self._text, string.end + 1):
            self._findings.add(begun.moved(line.start, line.end, begun.replacement))
            self._blocks_end = line.end

    def _read_member(self, string: JsonString) -> int | None:
        colon = _COLON.match(self._text, string.end + 1)
        at = colon.end() if colon else string.end
        rule = self._names.rule(string.text)
        if rule:
            if (companion := self._siblings.companion(string)) is not None:
                self._hide(rule, companion)
            return self._hide(rule, at, string)
        if string.text.lower() in _RAW_HEADERS and self._text.startswith("[", at):
            self._read_pairs(at)
        elif (declares := _DECLARING.get(string.text)) and declares.match(self._text, at):
            self._hide_declared(string)
        elif string.text == _ROUTING_KEY and _ROUTED.match(self._text, at):
            self._hide_as(_OF_SERVICE, at)
        elif string.text == "kty" and (rule := self._names.rule(_PRIVATE_KEY)):
            for value in self._siblings.private(string):
                self._hide(rule, value)
        return string.end

    def _hide_declared(self, string: JsonString) -> None:
        """Hide the value that a member beside it declares a secret."""
        value = self._siblings.declared(string)
        if value is not None:
            self._hide_as(_DECLARED, value)

    def _hide_as(self, name: str, at: int) -> None:
        """Hide a value by the rule for a name that it does not have."""
        if rule := self._names.rule(name):
            self._hide(rule, at)

    def _hide_arguments(self, command: JsonString) -> None:
        """Hide the passwords among the arguments of a command."""
        rule = self._names.rule(_OF_COMMAND)
        for place, start in passwords(command.text, self._siblings.arguments(command)):
            value = json_string(self._text, place.start)
            if rule and value and value.is_json():
                is_plain = value.end - value.start == len(value.text)
                first = value.start + start if is_plain else value.start
                self._found(rule, first, value.end, value.text[start:])

    def _hide_parameters(self, statement: JsonString) -> None:
        """Hide the parameters beside a statement of SQL that are values of sensitive columns."""
        wanted = parameters(self._names, statement.text)
        if not wanted:
            return
        places = [*islice(self._siblings.arguments(statement), wanted[-1][0] + 1)]
        if places and isinstance(places[0].value, list):
            items = self._values.items(places[0].start + 1)
            places = [*islice(items, wanted[-1][0] + 1)]
        for index, rule in wanted:
            if index < len(places):
                self._hide(rule, places[index].start)

    def _is_lost_name(self, string: JsonString) -> bool:
        """Return whether a string is a name in damaged JSON that has lost its colon."""
        if not self._is_document() or self._is_whole():
            return False
        before = self._text[max(0, string.start - _NEAR) : string.start - 1]
        return not _IN_LIST.search(before)

    def _is_whole(self) -> bool:
        """Return whether all of the text is JSON."""
        if self._whole is None:
            self._whole = is_json(self._text)
        return self._whole

    def _hide_rest(self, rule: KeyRule, at: int) -> int | None:
        """Hide the rest of damaged JSON, because nobody knows where the value ends."""
        if _NOTHING_BEHIND.match(self._text, at):
            return None
        end = len(self._text)
        self._found(rule, at, end, self._text[at:])
        return end

    def _is_document(self) -> bool:
        return self._text[:_WINDOW].lstrip().startswith(("{", "["))

    def _hide(self, rule: KeyRule, at: int, name: JsonString | None = None) -> int | None:
        """Find the value of a sensitive name; None if what starts there is no JSON."""
        text = self._text
        match text[at : at + 1]:
            case '"':
                value = json_string(text, at)
                if value is None or not value.is_json():
                    return None
                if name is None or not self._siblings.is_lexical(name, value.text):
                    self._found(rule, value.start, value.end, value.text)
                return value.end
            case "{" | "[":
                return self._hide_container(rule, at, name)
            case _:
                if number := _NUMBER.match(text, at):
                    self._found_whole(rule, at, number.end())
                    return number.end()
                if word := _WORD.match(text, at):
                    return word.end()
                is_lost = _NO_VALUE.match(text, at) and self._is_document()
                return self._hide_rest(rule, at) if is_lost else None

    def _hide_container(self, rule: KeyRule, at: int, name: JsonString | None) -> int:
        value = self._values.at(at)
        if value.is_whole and not value.value:
            return value.end
        if is_schema(value.value) or (not value.is_whole and _CUT_SCHEMA.match(self._text, at)):
            self._hide_samples(rule, value, _DEEPEST_SCHEMA)
            return at + 1
        if value.is_whole and name and name.text[:1] == "/" and is_path_item(value.value):
            return at + 1
        if value.is_whole and name and self._descriptions.describes(name.text, value.value):
            return at + 1
        self._found_whole(rule, at, value.end)
        return value.end

    def _hide_samples(self, rule: KeyRule, schema: Place, depth: int) -> None:
        """A schema below that of a sensitive name is about the same value: `anyOf`, `items`."""
        text, start = self._text, schema.start + 1
        if depth == 0:
            self._found_whole(rule, schema.start, schema.end)
            return
        below = list(self._values.items(start)) if text.startswith("[", schema.start) else []
        if not below:
            for member in self._values.members(start):
                if member.name in SAMPLES:
                    self._hide(rule, member.place.start)
                else:
                    below.append(member.place)
        for value in below:
            if text.startswith(("{", "["), value.start):
                self._hide_samples(rule, value, depth - 1)

    def _read_pairs(self, at: int) -> None:
        """Names and values in turn: `["Cookie", "x", "Host", "y"]`."""
        rule: KeyRule | None = None
        for index, item in enumerate(self._values.items(at + 1)):
            if index % 2 == 0:
                rule = self._names.rule(item.value) if isinstance(item.value, str) else None
            elif rule:
                self._hide(rule, item.start)

    def _read_neighbours(self, string: JsonString) -> int:
        """Find what a string says of its neighbours: `{"name": "API_KEY", "value": "x"}`.

        Returns:
            The position at which to read on.
        """
        if string.follows == "," and is_statement(string.text):
            self._hide_parameters(string)
        if not _may_be_name(string.text):
            return string.end
        if is_command(string.text):
            self._hide_arguments(string)
        elif string.text in _SECRET_TYPES:
            self._hide_declared(string)
        end = (self._read_next(string) if string.follows == "," else None) or string.end
        rule = self._names.rule(_FIELD.sub("", string.text))
        if rule is None:
            return end
        value = self._siblings.named(string)
        if value is None:
            value = self._siblings.next_run(string)
        if value is not None:
            self._hide(rule, value)
        for cell in self._tables.cells(string):
            self._hide(cell.rule, cell.start)
        return end

    def _read_next(self, string: JsonString) -> int | None:
        """`["--token", "x"]` is an option and its value, `[["cookie", "x"]]` a list of pairs."""
        before = self._text[max(0, string.start - 65) : string.start - 1]
        if (
            string.text.lower() in _OF_REDIS
            or _IN_LIST_OF_LISTS.search(before)
            or _IN_HASH.search(before)
        ):
            rule = self._names.rule(string.text)
        else:
            rule = self._names.option(string.text)
        comma = _COMMA.match(self._text, string.end + 1)
        if rule and comma and not self._text.startswith('"--', comma.end()):
            following = json_string(self._text, comma.end())
            if following is None or not following.is_name():
                return self._hide(rule, comma.end())
        return None

    def _found_whole(self, rule: KeyRule, start: int, end: int) -> None:
        """A value that is no string: its marker needs marks of its own."""
        finding = self._replacements.finding(rule, self._text, (start, end))
        if finding:
            self._findings.add(finding.moved(start, end, f'"{finding.replacement}"'))

    def _found(self, rule: KeyRule, start: int, end: int, secret: str) -> None:
        finding = self._replacements.finding(rule, self._text, (start, end), secret=secret)
        if finding:
            self._findings.add(finding)


def _may_be_name(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and text.count(" ") <= _MOST_BLANKS
