"""Takes secrets out of telemetry before it is written anywhere.

    sanitizer = Sanitizer.default()
    attributes, body = sanitizer.record(attributes, body)

`RULES.md` beside this file lists the default rules and shows how to change them.
"""

from relayscope.sanitizer.rules.keyring import HashKey, Keyring
from relayscope.sanitizer.rules.rules import Rules

from .errors import RulesError, SanitizerError
from .findings import Explanation, Value
from .model import Action, Allowed, KeyRule, Limits, PatternRule, Step
from .sanitizer import DEAR, NORMALIZED, Sanitizer

__all__ = [
    "DEAR",
    "NORMALIZED",
    "Action",
    "Allowed",
    "Explanation",
    "HashKey",
    "KeyRule",
    "Keyring",
    "Limits",
    "PatternRule",
    "Rules",
    "RulesError",
    "Sanitizer",
    "SanitizerError",
    "Step",
    "Value",
]
