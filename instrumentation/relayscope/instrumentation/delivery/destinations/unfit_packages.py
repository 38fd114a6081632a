"""Packages that OTLP needs in another version than something else has had installed.

Old ones of protobuf and gRPC fail in many ways: with errors of their own, a TypeError or an
ImportError that names a private module. None says what to do.
"""

import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Final, NoReturn

from relayscope.conventions.install_command import install_command
from relayscope.instrumentation.runtime.making import is_scarcity

_USERS: Final = (
    "opentelemetry-exporter-otlp-proto-grpc",
    "opentelemetry-proto",
    "googleapis-common-protos",
    "opentelemetry-opamp-client",
)
_OFTEN_PINNED: Final = frozenset({"protobuf", "grpcio"})


def raise_for_packages(error: Exception) -> NoReturn:
    """Raise what an error means that came of loading them.

    Args:
        error: It, which is quoted where all versions are as they should be.

    Raises:
        ImportError: A package is wanted in another version, or something else does not load.
        Exception: The error itself, where memory, descriptors or threads are wanting.
    """
    unfit = _unfit()
    if unfit:
        found = " and ".join(f"{name} {version(name)}" for name in unfit)
        # One after the other: what remains is told at the next start.
        command = install_command(sys.executable, next(iter(unfit.values())))
        raise ImportError(f"{found} does not fit what sends OTLP: {command}") from error
    if is_scarcity(error):
        raise error
    raise ImportError(f"OTLP does not load: {type(error).__name__}: {error}") from error


def _unfit() -> dict[str, str]:
    """The names of packages that do not fit, and which versions are wanted."""
    # Needed only where something has failed.
    from packaging.requirements import Requirement  # noqa: PLC0415
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415

    unfit: dict[str, SpecifierSet] = {}
    for user in _USERS:
        with suppress(PackageNotFoundError):
            for wanted in map(Requirement, requires(user) or ()):
                is_meant = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
                if wanted.name not in _OFTEN_PINNED or not is_meant:
                    continue
                if not wanted.specifier.contains(version(wanted.name), prereleases=True):
                    unfit[wanted.name] = wanted.specifier & unfit.get(wanted.name, SpecifierSet())
    return {name: f"{name}{versions}" for name, versions in unfit.items()}
