"""Tells values that programs work out: calls, members, sums and other expressions."""

import re
from typing import Final

_PROGRAM = re.compile(
    r"(?:async[ ]+)?(?:function\b|class[ ]|new[ ]|await[ ]|typeof[ ]|lambda\b"
    r"|\([\w,:.<>\[\] ]{0,64}\)[ ]?=>)"
    # A negation, a regular expression, a rule of ABNF.
    r"|!\(?[A-Za-z_$][\w$]*\.|/(?:[\^\\(]|\[\^)|[0-9]?\*[<(A-Za-z]|%x[0-9A-F]{2}"
)
_CHAIN = re.compile(
    r"[A-Za-z_$@][\w$]*+((?:(?:\?\.|!\.|::|->|\.|:(?=[a-z_]\w*\())#?[\w$]++)*+)[!?]?"
)
# Parameters of a type, or of a function that is called.
_PARAMETERS = re.compile(
    r"<(?:[A-Z]\w*|string|number|boolean|any|unknown|void|u?int\w*|[iuf][0-9]{1,3}|str|bool|char|byte"
    r"|&|')(?:[^<>\n=;\"]|<[^<>\n=;\"]{0,64}>){0,96}+>"
)
_CMDLET = re.compile(
    r"\(?(?:Get|Set|New|Read|ConvertTo|ConvertFrom|Import|Invoke|Select|Add|Connect|Request|Join|Out"
    r"|Unprotect|Where|ForEach)-[A-Z][A-Za-z]{2,40}(?![\w!@#$%^&*-])"
)
_GENERIC = re.compile(rf"{_PARAMETERS.pattern}(?:[?!*&]|\[\])*+(?=[(,;)\s=}}|]|\Z)")
EXPRESSION_WORDS: Final = (
    "(?:await|try[!?]?|new|not|yield|return|typeof|async|function|func|lambda|fn|if|match|switch|echo"
    "|while|foreach|until"
    r"|move|ref|mut|const|unsafe|throw|raise)\b"
)
"""Words that begin an expression and no value."""
_BEFORE = re.compile(rf"(?:{EXPRESSION_WORDS}[ \t]*+|[&*!~(]+[ \t]*+(?=[A-Za-z_$]))*+")
# What is left of an expression behind its first names.
_CLOSED = re.compile(r"[)\]](?:\Z|\\[nr]|[\s;,.)\]}:?!&|+*/=<>-])")
_OPERATOR = re.compile(
    r"[ \t]+(?:[-+*/%|&^?<>=!]{1,3}[ \t]|(?:or|and|if|in|is|not|as|for|else|unless|instanceof)\b)"
)
_KNOWN = re.compile(
    r"\$?(?:self|this|cls|super|req|request|res|response|resp|os|sys|process|config|conf|cfg|settings"
    r"|options|opts|args|argv|params|env|environ|ctx|context|secrets|vars?|inputs|steps|github"
    r"|import|Deno|Bun|System|app|data|body|session|event|props|state|local|module|each)\b"
)
_CALLS: Final = frozenset({"(", "["})
_OPEN: Final = ("(", "[", "{", ",", '"', "'")
# What only programs write: a member of a variable in Perl, C or PHP, a text that is joined to
# others, a pointer of another type, a sum of something in brackets, an expression to search for;
# and the role of a name in reStructuredText.
_MEMBER = re.compile(
    r"[$@%][A-Za-z_]\w*+(?:->)?[\[{]|\$?[A-Za-z_]\w*+(?:::\w++)*+->[\w\[{$(]|\$\w++ \. [$'\"]"
    r"|\((?:const )?[A-Za-z_]\w*+(?: \w++)*+ ?\*+\) ?[A-Za-z_&(]"
    r"|\([^()\n]{0,64}\) ?(?:[-+*/%]|->|\.) ?[A-Za-z_]"
    r"|\((?:\[\^|\.[*+?]|\\[wdsSWD])|qr[/{]|\\(?:undef\b|\$)|(?:A )?:[a-z:]{2,16}:`"
    r"|(?:delete|ref|substr|shift|pop|splice|unpack|scalar|defined)[ (]{1,2}[$@%\"(]"
    r"|(?:self|this)\.[A-Za-z_.]{1,64}[-+*/%]"
)


def is_program(value: str) -> bool:
    """Return whether a value begins with what only programs write, and expressions and grammars."""
    return _PROGRAM.match(value) is not None


def is_expression(value: str) -> bool:
    """Return whether a value calls, indexes or combines something, as only programs do."""
    if is_program(value) or is_cmdlet(value):
        return True
    begun = _BEFORE.match(value)
    at = begun.end() if begun else 0
    chain = _CHAIN.match(value, at)
    if chain is None:
        return False
    if not chain[1] and any(map(str.isdigit, chain[0][:-1])):
        return _calls(value, chain.end())
    end = chain.end()
    # As GNU's style has it: `cache.look_up (host)`.
    end += bool(chain[1]) and value.startswith(" (", end)
    return _calls(value, end) or _OPERATOR.match(value, end) is not None


def begins_expression(value: str) -> bool:
    """Return whether a line begins with a word that only an expression has: `await f(x)`."""
    begun = _BEFORE.match(value)
    return begun is not None and begun.end() > 0 and is_expression(value)


def is_call(value: str) -> bool:
    """Return whether a line begins with a call, an index or a member of a PHP variable."""
    begun = _BEFORE.match(value)
    at = begun.end() if begun else 0
    chain = _CHAIN.match(value, at)
    if chain is None:
        return False
    return _calls(value, chain.end()) or (value[at] == "$" and "->" in chain[1])


def is_member(text: str, at: int) -> bool:
    """Return whether source code that is no literal begins at a place: `$t->[0]`, `(':',) + x`."""
    return _MEMBER.match(text, at) is not None


def is_known_path(value: str) -> bool:
    """Return whether a path starts at an object that programs keep their input in: `self.x`."""
    return _KNOWN.match(value) is not None


def is_cmdlet(value: str) -> bool:
    """Return whether a line begins with a command of PowerShell: `Read-Host "Password"`."""
    return _CMDLET.match(value) is not None


def is_generic(text: str, end: int) -> bool:
    """Return whether type parameters end behind the name that ends at a place: `List<Token>`."""
    return _GENERIC.match(text, end) is not None


def _calls(value: str, end: int) -> bool:
    if value[end : end + 1] == "<" and (parameters := _PARAMETERS.match(value, end)):
        end = parameters.end()
    if value[end : end + 1] not in _CALLS:
        return False
    return bool(_CLOSED.search(value, end)) or value.endswith(_OPEN)
