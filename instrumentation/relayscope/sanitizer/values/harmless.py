"""Tells values of sensitive names that are no secrets: names, types, prose, references.

What is harmless wherever it stands is among the allowed values of `default_rules.toml`; here is
what is so in plain text alone, where it depends on how the text is written.
"""

import re
from enum import Enum, auto
from typing import Final

from relayscope.sanitizer.findings import FILL

from .expression import is_known_path, is_program

# Words that English prose has and pass phrases have not: none of them is among the 2,048 words of
# BIP 39, of which recovery phrases are made.
_PROSE: Final = frozenset(
    {
        *("a", "an", "the", "of", "to", "is", "are", "was", "be", "been", "it", "its", "in"),
        *("on", "at", "by", "as", "or", "if", "not", "no", "for", "from", "your", "our", "my"),
        *("their", "too", "see", "used", "which", "must", "should", "may", "cannot", "has"),
        *("have", "does", "did", "per", "via", "etc", "e.g.", "i.e.", "optional", "required"),
        *("string", "value", "with", "without"),
    }
)
_MANY: Final = 24
"""Words of a value that are looked at."""

_PAIR: Final = 2
RECOVERY_PHRASE: Final = 12
"""Words of the shortest one."""

# A word that nobody would write in a sentence, so that a secret may be in it.
_ODD = re.compile(
    r"(?<!\S)(?=[^\s0-9]*+[0-9])(?=[^\sA-Za-z]*+[A-Za-z])"
    r"(?![A-Za-z]{1,12}[-_ ]?[0-9]{1,4}(?:[.-][\w]*)?[^\w\s]*(?:\s|\Z))[^\s\"'`<>]{6,}"
    # What an earlier run has found was one; the next word is no odder for that.
    rf"|{FILL}+"
)
_ODD_LENGTH: Final = 6
_RANDOM_LENGTH: Final = 8
_CHANGES: Final = 3
"""From letters to digits, or to signs, and back: `utf8mb4` and `base64url` have two."""

_RUN = re.compile(r"[A-Za-z]+|[0-9]+|[!@#$%^&*+=~?]+")
_FILE = re.compile(r"[.,][A-Za-z]{1,5}\Z|\A[0-9]{4}-[0-9]{2}|\A[0-9.]+[A-Za-z]{0,3}\Z")
_SIGN = re.compile(r"[A-Za-z0-9][!@#$%^&*+=~?][A-Za-z0-9]")
_NUMBERED = re.compile(
    r"[A-Z]{2,8}[- ]?[0-9]{1,5}|v?[0-9]+(?:\.[0-9]+)+|(?:OAuth|base|utf-?|sha-?|md)[0-9.]+"
)
_TERMS: Final = r"oauth2|pkcs(?:8|12)|base64|utf8|sha(?:1|256|512)|md5|x509|ec2|s3"
_NUMBERED_WORD = re.compile(rf"(?i)(?<![a-z0-9])(?:{_TERMS})(?![a-z0-9])")
_ABOUT: Final = frozenset(
    {
        *("password", "passwords", "passphrase", "passcode", "token", "tokens", "secret"),
        *("secrets", "key", "keys", "credential", "credentials", "cookie", "cookies"),
        *("authorization", "authentication", "code", "pin", "login", "session", "username"),
        *("api", "passwort", "kennwort", "wachtwoord", "passe"),
    }
)
STORED: Final = "secret"
"""The rule of names behind which the name of a secret in a store can stand."""
MADE_UP: Final = "password"
"""The rule whose values people make up."""

_GENERATED: Final = frozenset({"token", "private-key", "credential", "authorization", "cookie"})
"""The rules of names whose values are made by programs."""

_IDENTIFIER = re.compile(rf"(?i:[a-z_]|{_TERMS}|-(?=[a-z]))+")
_DIGITS: Final = frozenset("0123456789")
_ABOUT_PASSWORDS: Final = (_PROSE - {"my", "a", "in", "on", "of"}) | frozenset(
    {
        *("password", "passwords", "passphrase", "passcode", "code", "pin", "login"),
        *("credentials", "username", "api", "token", "authentication", "authorization", "enter"),
        *("new", "invalid"),
    }
)
_ADVICE = re.compile(
    r"(?:none|no|see|ask|use|click|go|found|find|stored|kept|managed|created|set|get|contact|refer|check|look"
    r"|read|open|create|generate|generated|enter|choose|pick|sent)(?: [A-Za-z'>&/-]{1,24}){1,16}\."
)
_REMARK = re.compile(r"[A-Za-z]{2,24}(?: [A-Za-z'*/-]{1,24}[.,]?){1,16}")
_FILLED = re.compile(
    r"%[-0-9.]{0,4}[sdrvi]|%\(\w+\)[sdr]|\$?\{[^{}\"\s]{0,64}\}|\$\{[^}]*\Z|\{\{[^{}]{0,64}\}\}"
)
_LITERAL = re.compile(r"([\"'])([^\"'\n]{1,128})\1")
_LABEL = re.compile(r"[A-Za-z .,!?:()'\u2019/-]{1,128}")
_WORD = re.compile(r"[A-Za-z]+")


class Kind(Enum):
    """The form of a value without spaces."""

    WORD = auto()
    """Letters alone, as names in programs and words of sentences have."""

    PATH = auto()
    """The way to a member: `settings.password`."""

    REFERENCE = auto()
    """The name of where the secret is: a variable, a parameter of a statement."""

    TYPE = auto()
    """A type with parameters: `Optional[str]`."""

    NUMBER = auto()
    CALL = auto()
    """It may call or index something."""

    OTHER = auto()


LONGEST: Final = 256
"""Characters. Nothing without spaces that is longer is harmless."""

_PLAIN_WORD = re.compile(r"[A-Za-z_$]+[0-9]?")
_HUMP = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_TYPE = re.compile(
    r"(?:(?:readonly|const|unsigned|static|ref|out|in|mut|struct|enum)[ ])?+[&*?]*+(?:\[\w*\])*+"
    r"(?:'[a-z]+[ ])?+[A-Z_a-z][\w.]*+(?:::[\w]++)*+"
    r"(?:\[[^\[\]\n=]{0,64}+(?:\[[^\[\]\n]{0,64}+\][^\[\]\n]{0,64}+)*+\]|<[^\n=;]{0,64}>)?+"
    r"[?!*&]*+(?:\[\])*+"
    r"(?:[ ]?[|&][ ]?[A-Za-z_]\w*+(?:\[[^\[\]\n]{0,64}\]|<[^\n=;]{0,64}>)?+(?:\[\])*+)*+"
)
_TYPE_OF_GO = re.compile(r"(?:\*|\[\])*+[a-z][a-z0-9]{1,16}+\.[A-Z][A-Za-z]{2,}")
# A path to a member has no digits in its last name, or one behind it.
_NUMBERED_PATH = re.compile(
    r"[A-Za-z_$][\w$]*+(?:(?:\.|::)[\w$]++(?!\Z))*(?:\.|::)(?=[\w$]*+\Z)(?=\w*?[0-9])\w++"
    r"|[A-Za-z]++[(\[][0-9]++[)\]]?"
)
_DOTTED = re.compile(r"[\w-]++(?:\.[\w-]++)++")
_KEY_FILE = re.compile(r"[\w./-]*\.p(?:12|7b|k?8)")

_REFERENCE = re.compile(
    r"\$[A-Za-z_][A-Za-z_]*|\$env:\w+|\$\([^\n]*\)?|\$\{[^{}\n:]*\}|\$[0-9]"
    r"|:[a-z_]+|@{1,2}[A-Za-z_]+|\?"
    # Files.
    r"|(?:\.{1,2}|~)/[\w./-]{1,128}|(?:/[A-Za-z_.-]{1,32}){2,8}\.[a-z]{2,5}"
)

# Letters with digits in their midst, and what base64 and people put between them.
_PLAINLY_NONE = re.compile(
    r"(?![0-9]?\*[A-Za-z])[A-Za-z_+/~=!#^*-]*+[0-9]++[\w+/~=!#^*-]++|[A-Za-z_+/~=!#^*-]++[0-9]{2,}+"
)
_PATH = re.compile(
    r"[A-Za-z_$@][A-Za-z_$]*+(?:(?:\?\.|!\.|::|->|\.)#?[A-Za-z_$][A-Za-z_$]*+)++[0-9]?[!?]?"
)
_MAYBE_CALL = re.compile(r"\A\W{0,2}[A-Za-z_$@][^ ]*?[(\[]|\A\$\w+-")
# A class in its module: `oauth2client.client.OAuth2Credentials`.
_CLASS = re.compile(
    r"(?:[a-z_][a-z0-9_]{0,32}\.){1,8}(?=[A-Za-z0-9]*[A-Z][a-z]{2}|[A-Z]{1,5}[0-9]?\Z)"
    r"(?:[A-Z][a-z]+|[A-Z]{1,5}[a-z]*[0-9]?){1,6}"
)
_FORMS: Final = (
    (Kind.WORD, _PLAIN_WORD),
    (Kind.PATH, _PATH),
    (Kind.TYPE, _CLASS),
    (Kind.REFERENCE, _REFERENCE),
    (Kind.NUMBER, re.compile(r"-?(?:[0-9]{1,6}|0x[0-9a-fA-F]{1,4})")),
)


def is_prose(value: str) -> bool:
    """Return whether a value is a sentence or a part of one."""
    words = value[:256].lower().split(None, _MANY)
    words = [word.strip(".,;!?()") for word in words]
    if len(words) <= _PAIR:
        return len(words) == _PAIR and any(word in _PROSE and word[1:] for word in words)
    if not _PROSE.isdisjoint(words):
        return True
    return len(words) < RECOVERY_PHRASE and not _ABOUT.isdisjoint(words)


def odd_word(value: str) -> re.Match[str] | None:
    """A word in a sentence that may be a secret."""
    return _ODD.search(value)


def is_odd(value: str) -> bool:
    """Return whether a word is of no language: letters with digits, or with signs among them."""
    if len(value) < _ODD_LENGTH or harmlessly_numbered(value):
        return False
    value = _NUMBERED_WORD.sub("", value) if "_" in value else value
    letters = any(map(str.isalpha, value))
    return letters and (any(map(str.isdigit, value)) or _SIGN.search(value) is not None)


def is_random(value: str) -> bool:
    """Return whether a word changes too often between letters, digits and signs to be one."""
    if len(value) < _RANDOM_LENGTH or harmlessly_numbered(value) or _FILE.search(value):
        return False
    changes = len(_RUN.findall(value)) - 1
    return changes >= _CHANGES and any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def harmlessly_numbered(value: str) -> bool:
    """Return whether this is a word and a number: `OAuth2`, `RFC-6749`, `v1.2`."""
    return _NUMBERED.fullmatch(value) is not None


def is_template(value: str) -> bool:
    """Return whether a quoted value is a template that holds no secret itself."""
    rest, filled = _FILLED.subn("", value)
    return filled > 0 and not any(map(str.isdigit, rest))


def has_odd_literal(value: str) -> bool:
    """Return whether a literal in source code could be a secret."""
    return any(is_odd(found[2]) for found in _LITERAL.finditer(value))


def is_label(value: str) -> bool:
    """Return whether a quoted value is a text about a secret: `Enter your password`."""
    if " " not in value or not _LABEL.fullmatch(value):
        return False
    words = _WORD.findall(value.lower())
    return len(words) > 1 and not _ABOUT.isdisjoint(words)


def is_label_of(value: str, rule: str) -> bool:
    """Return whether a value is a text about the secret that a rule is for.

    What begins with a small letter and says nothing of passwords can be one: `my secret phrase`.
    """
    if not is_label(value):
        return False
    if rule != MADE_UP or not value[:1].islower():
        return True
    return not _ABOUT_PASSWORDS.isdisjoint(_WORD.findall(value.lower()))


def is_word(value: str) -> bool:
    """Return whether a value has letters alone, as a name in a program or a word has."""
    return _PLAIN_WORD.fullmatch(value) is not None


def kind(value: str) -> Kind:
    """The form of a value that is not longer than `LONGEST`."""
    if _PLAINLY_NONE.fullmatch(value):
        return Kind.OTHER
    for form, expression in _FORMS:
        if expression.fullmatch(value):
            return form
    if is_type(value) or is_program(value):
        return Kind.TYPE
    return Kind.CALL if _MAYBE_CALL.search(value) else Kind.OTHER


def is_type(value: str) -> bool:
    """Return whether a value looks like a type with parameters: `Optional[str]`, `str | None`."""
    return not value.isalnum() and "-" not in value and _TYPE.fullmatch(value) is not None


def is_type_of_go(value: str) -> bool:
    """Return whether a value is a type of another package: `*oauth2.Token`, `[]v1.Secret`."""
    return _TYPE_OF_GO.fullmatch(value) is not None


def is_numbered_path(value: str) -> bool:
    """Return whether a value is like a path or a call, with digits as passwords and tokens have.

    In source code it may be one: `torch.float16`, `rows[2024]`. Elsewhere it is `john.smith1987`.
    """
    if harmlessly_numbered(value) or is_known_path(value):
        return False
    if _KEY_FILE.fullmatch(value) or _CLASS.fullmatch(value):
        return False
    return _NUMBERED_PATH.fullmatch(value) is not None or (
        _DOTTED.fullmatch(value) is not None and any(map(is_random, value.split(".")))
    )


def is_advice(value: str) -> bool:
    """Return whether a line tells what to do or where to look: `ask Bob.`, `stored in Vault.`."""
    return _ADVICE.fullmatch(value) is not None


def is_remark(value: str) -> bool:
    """Return whether a value is plain words, as behind a header that somebody speaks of."""
    return _REMARK.fullmatch(value) is not None


def has_words(value: str) -> bool:
    """Return whether a name in a program is made of several words: `user_secret`, `userSecret`."""
    return len(_words(value)) > 1 and not value.isupper() and not value.istitle()


def is_longer_name(value: str, name: str) -> bool:
    """Return whether a value ends with the same word as the name: `password = user_password`."""
    return _words(value)[-1:] == _words(name)[-1:]


def is_same_name(value: str, name: str) -> bool:
    """Return whether a value is the name again, or its last words: `API_KEY = "apiKey"`."""
    words = _words(value)
    return bool(words) and (
        _words(name)[-len(words) :] == words or "".join(_words(name)) == "".join(words)
    )


def is_no_secret(value: str, rule: str) -> bool:
    """Return whether a value is about the secret that a rule is for, or only its name."""
    return is_label_of(value, rule) if " " in value else _is_name_of(value, rule)


def _is_name_of(value: str, rule: str) -> bool:
    """Return whether a value is what a program calls a secret of a rule: `refresh_token_key`.

    Only where secrets are generated: what people make up can read the same, `super-secret-key`.
    """
    if rule not in _GENERATED or value[-1] in _DIGITS or not _IDENTIFIER.fullmatch(value):
        return False
    words = _words(value)
    return len(words) > 1 and not (_ABOUT.isdisjoint(words) and "auth" not in words)


def is_of_store(value: str, name: str) -> bool:
    """Return whether a value names a secret in a store: `--secret=db-password`."""
    words, of = _words(value), _words(name)
    if of != ["secret"] and of[-1:] != ["secrets"]:
        return False
    return (
        len(words) > 1
        and value.islower()
        and "secret" not in words
        and not _ABOUT.isdisjoint(words)
    )


def _words(name: str) -> list[str]:
    return _HUMP.sub(" ", name).casefold().split()
