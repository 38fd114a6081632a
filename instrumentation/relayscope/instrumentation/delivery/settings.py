"""A user's settings of delivery, all of them in the environment."""

import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from platformdirs import user_state_path

from relayscope.conventions.environment import (
    RELAYSCOPE_OPAMP_ENDPOINT,
    RELAYSCOPE_SPOOL_DIR,
    RELAYSCOPE_SPOOL_DURABILITY,
    RELAYSCOPE_SPOOL_HOURS,
    RELAYSCOPE_SPOOL_MIB,
)
from relayscope.spool import Durability, SpoolSettings, check_folder, user_id

_log = logging.getLogger(__name__)

DELAY_VARIABLE: Final = "OTEL_BLRP_SCHEDULE_DELAY"

_DELAY_MS: Final = 1000
"""OpenTelemetry's own default. A request costs about a millisecond of a processor, and a relay that
shares it waits: with 200 ms between requests, the p98 of its calls was 1.22 times that without a
collector, with 1000 ms 1.05 times (two cores; the forwarder had a session of its own then, see
`launch/launcher.py`)."""

_MIB: Final = 2**20

_DESTINATION: Final = ("OTEL_EXPORTER_OTLP_", RELAYSCOPE_OPAMP_ENDPOINT)
_LONGEST_NAME: Final = 64
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")


def spool_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds a folder of spools for each component.

    Where the user's own folder cannot be written to, as in many containers, it is one in the
    temporary folder, as long as nobody else can get into that.
    """
    chosen = environment.get(RELAYSCOPE_SPOOL_DIR)
    if chosen:
        return Path(chosen).absolute()
    own = user_state_path("relayscope") / "spool"
    if _is_private(own):
        return own
    temporary = _temporary_dir()
    if temporary is None:
        return own
    ours = temporary / f"relayscope-spool-{user_id()}"
    return ours if _is_private(ours) else own


def _temporary_dir() -> Path | None:
    """Return the folder for temporary files, if there is one.

    Python would remember it, and a host that sets `TMPDIR` later would get this one all the same.
    """
    remembered = tempfile.tempdir
    try:
        return Path(tempfile.gettempdir())
    except OSError:  # None can be written to.
        return None
    finally:
        tempfile.tempdir = remembered


def _is_private(folder: Path) -> bool:
    """Return whether only we can write to a folder; it is made if it is missing."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_folder(folder)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def component_dir(component: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of a component's spools; its name has nothing in it that a path would mind."""
    name = _UNSAFE.sub("_", component)[:_LONGEST_NAME]
    if name != component:
        name += "." + hashlib.sha256(component.encode("utf-8", "replace")).hexdigest()[:8]
    return spool_dir(environment) / name


def spool_settings(environment: Mapping[str, str] = os.environ) -> SpoolSettings:
    """Return the durability and the bounds of this process's spools.

    Raises:
        ValueError: A variable has a value that it cannot have; the message names it.
    """
    defaults = SpoolSettings()
    durability = defaults.durability
    chosen = environment.get(RELAYSCOPE_SPOOL_DURABILITY)
    if chosen:
        try:
            durability = Durability(chosen.strip().lower())
        except ValueError:
            known = ", ".join(each.value for each in Durability)
            raise ValueError(
                f"{RELAYSCOPE_SPOOL_DURABILITY} is {chosen!r}; use one of: {known}."
            ) from None
    return SpoolSettings(
        durability=durability,
        max_bytes=int(_number(environment, RELAYSCOPE_SPOOL_MIB, defaults.max_bytes / _MIB) * _MIB),
        max_age=timedelta(
            hours=_number(
                environment, RELAYSCOPE_SPOOL_HOURS, defaults.max_age / timedelta(hours=1)
            )
        ),
    )


def schedule_delay() -> float:
    """Seconds between two requests, of log records and spans alike.

    A value that it cannot have is warned of and counts as none, as OpenTelemetry has it (SDK
    environment variables, "Numeric value"): nothing should wait in a spool for that.
    """
    try:
        return _number(os.environ, DELAY_VARIABLE, _DELAY_MS) / 1000
    except ValueError as error:
        _log.warning("%s Until then it is %d.", error, _DELAY_MS)
        return _DELAY_MS / 1000


def _number(environment: Mapping[str, str], variable: str, default: float) -> float:
    chosen = environment.get(variable)
    if not chosen:
        return default
    try:
        number = float(chosen)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"{variable} is {chosen!r}; give a number above zero.")
    return number


def destination_digest(environment: Mapping[str, str]) -> str:
    """Return a digest of the destination in the standard variables; it shows nothing of them."""
    chosen = sorted(item for item in environment.items() if item[0].startswith(_DESTINATION))
    return hashlib.sha256(repr(chosen).encode("utf-8", "replace")).hexdigest()[:16]
