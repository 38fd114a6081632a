"""Access by bearer tokens with a role, checked alike for every transport. Fails closed."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, Literal

from relayscope.collector.errors import PermissionDenied, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from relayscope.collector.config.settings import Token

Role = Literal["ingest", "read", "admin"]


_HOW: Final[Mapping[Role, str]] = {
    "ingest": "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN",
    "read": "in the header authorization, or in RELAYSCOPE_COLLECTOR_TOKEN",
    "admin": "in the header authorization, or in RELAYSCOPE_COLLECTOR_TOKEN",
}
"""The place for a token, by the role that it needs."""


class Access:
    """The tokens that are let in. Without any, whoever can connect is."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = [
            (token.token.get_secret_value().encode(), frozenset({token.role}), token.name)
            for token in tokens
        ]

    @property
    def is_open(self) -> bool:
        """True if everybody is let in, because there are no tokens."""
        return not self._tokens

    def check(self, authorization: str | None, role: Role) -> str:
        """Let the request pass, or not.

        Args:
            authorization: the `Authorization` header, if there is exactly one.
            role: the role that the request needs; `admin` may do everything.

        Returns:
            The token's name; empty where everybody is let in.

        Raises:
            Unauthenticated: there is no bearer token, or nobody has it.
            PermissionDenied: its role is another.
        """
        if not self._tokens:
            return ""
        scheme, _, presented = (authorization or "").partition(" ")
        candidate = presented.strip().encode()
        roles: frozenset[str] = frozenset()
        name = ""
        # All are compared, so that the time does not tell which one was nearly right.
        for token, token_roles, token_name in self._tokens:
            if secrets.compare_digest(candidate, token):
                roles, name = token_roles, token_name
        if scheme.lower() != "bearer" or not roles:
            raise Unauthenticated(f"a valid bearer token is needed: {_HOW[role]}")
        if roles.isdisjoint({role, "admin"}):
            raise PermissionDenied(f"it takes a token of the role {role}: {_HOW[role]}")
        return name
