"""Errors of building a sanitizer; once built, it never raises.

SanitizerError
└── RulesError
"""

from typing import ClassVar


class SanitizerError(Exception):
    """Base of everything this package raises."""

    retryable: ClassVar[bool] = False


class RulesError(SanitizerError):
    """The rules are wrong; the message names the field, the reason and, for a choice, the choices.

    Attributes:
        field: path of the field in the mapping, for example `patterns[2].pattern`.
        reason: the mistake in it.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
