"""Profiles: levels as a set, under a name.

`development` and `production` are always there; a YAML file adds the user's own, or replaces them:

    profiles:
      quiet:
        level: INFO
        host_logs: WARN               # of what the host logs itself; else as `level`
        rules:                        # the first that fits holds
          - {peer: "*:9060", level: "OFF"}
          - {method: tools/call, target: logger_log, level: "OFF"}
          - {method: tools/call, direction: received, level: TRACE}
        no_injection: ["*:9061"]      # peers whose messages are never changed
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .level import Level
from .levels import Direction, Levels, Rule

BUILT_IN: Final = {
    "development": Levels(Level.TRACE),
    "production": Levels(Level.INFO),
}


def read_profile(name: str, path: Path | None = None) -> Levels:
    """Return the levels of a profile.

    Args:
        name: Of a profile in the file, or of one that is always there.
        path: The YAML file.

    Raises:
        ValueError: There is no such profile, or the file is not as it should be; the message says
            what is wrong, and where.
        OSError: The file cannot be read.
    """
    profiles = dict(BUILT_IN)
    if path is not None:
        # Takes 10 ms, and most programs have no such file.
        from yaml import YAMLError  # noqa: PLC0415

        from relayscope.conventions.yaml_text import read_yaml  # noqa: PLC0415

        try:
            profiles |= _read_file(read_yaml(path.read_text("utf-8")))
        except (YAMLError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from error
    if name not in profiles:
        raise ValueError(f"unknown profile {name!r}: use one of {', '.join(sorted(profiles))}")
    return profiles[name]


def _read_file(data: Any) -> dict[str, Levels]:
    profiles = _members(data, "the file", {"profiles"}).get("profiles", {})
    return {
        str(name): _read_levels(profile, f"profile {name}")
        for name, profile in _members(profiles, "profiles", None).items()
    }


def _read_levels(data: Any, where: str) -> Levels:
    members = _members(data, where, {"level", "rules", "no_injection", "host_logs"})
    host_logs = members.get("host_logs")
    return Levels(
        level=_level(members.get("level", "TRACE"), where),
        rules=tuple(
            _read_rule(rule, f"{where}, rule {number}")
            for number, rule in enumerate(_list(members.get("rules"), where), 1)
        ),
        uninjected=tuple(str(peer) for peer in _list(members.get("no_injection"), where)),
        host_logs=None if host_logs is None else _level(host_logs, where),
    )


def _read_rule(data: Any, where: str) -> Rule:
    members = dict(_members(data, where, {"level", "peer", "method", "target", "direction"}))
    if "level" not in members:
        raise ValueError(f"{where} has no level")
    level = _level(members.pop("level"), where)
    direction = members.pop("direction", None)
    if direction not in (None, *Direction):
        raise ValueError(f"{where}: direction is sent or received, not {direction!r}")
    patterns = {key: str(value) for key, value in members.items()}
    return Rule(level, direction=None if direction is None else Direction(direction), **patterns)


def _level(name: Any, where: str) -> Level:
    # YAML reads a bare OFF as false.
    try:
        return Level.OFF if name is False else Level.named(str(name))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _list(data: Any, where: str) -> list[Any]:
    if data is not None and not isinstance(data, list):
        raise ValueError(f"{where}: a list is expected where there is {data!r}")
    return data or []


def _members(data: Any, where: str, known: set[str] | None) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ValueError(f"{where}: names and values are expected, not {data!r}")  # noqa: TRY004  # a mistake in a file
    unknown = set() if known is None else {str(key) for key in data} - known
    if unknown:
        raise ValueError(f"{where}: unknown name {min(unknown)!r}")
    return data
