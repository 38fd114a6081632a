"""Environment variables that users set; each constant is called as its variable.

The settings of `relayscope serve` are variables too, which its `Settings` names: a field `grpc` is
`RELAYSCOPE_GRPC`. A relay and its collector may share an environment, so each has to know the
other's variables.
"""

from typing import Final

PREFIX: Final = "RELAYSCOPE_"
"""The beginning of every variable of relayscope."""

# --- What is recorded of a traced process ---------------------------------------------------------
RELAYSCOPE_LEVEL: Final = "RELAYSCOPE_LEVEL"
"""Level of messages about which no rule says otherwise."""

RELAYSCOPE_PROFILE: Final = "RELAYSCOPE_PROFILE"
"""Name of the profile, which says what is recorded at which level."""

RELAYSCOPE_PROFILES_FILE: Final = "RELAYSCOPE_PROFILES_FILE"
"""A YAML file with profiles of one's own."""

RELAYSCOPE_BODY_LIMIT: Final = "RELAYSCOPE_BODY_LIMIT"
"""Bytes of a message's text that are recorded, and characters of a body or of all attributes."""

RELAYSCOPE_KEEP_BINARY: Final = "RELAYSCOPE_KEEP_BINARY"
"""Set to true, 1, yes or on, it keeps the base64 of images, audio and blobs. Without it type, size
and digest are kept. The collector has a setting of the same name."""

RELAYSCOPE_CALL_SECONDS: Final = "RELAYSCOPE_CALL_SECONDS"
"""Seconds after which a call that was not answered has failed."""

RELAYSCOPE_INSTRUMENT_CHILDREN: Final = "RELAYSCOPE_INSTRUMENT_CHILDREN"
"""Set to `true`, it has Python children instrumented too. They may be programs that have nothing to
do with MCP, so it has to be asked for."""

RELAYSCOPE_QUIET: Final = "RELAYSCOPE_QUIET"
"""Set to anything but nothing, 0 and `false`, it keeps what relayscope says of itself off the
host's stderr."""

# --- Delivery -------------------------------------------------------------------------------------
RELAYSCOPE_SPOOL_DIR: Final = "RELAYSCOPE_SPOOL_DIR"
"""The folder that holds a folder of spools for each component."""

RELAYSCOPE_SPOOL_DURABILITY: Final = "RELAYSCOPE_SPOOL_DURABILITY"
"""The failures that a spooled record survives: one of `relayscope.spool.Durability`."""

RELAYSCOPE_SPOOL_MIB: Final = "RELAYSCOPE_SPOOL_MIB"
"""Upper bound of a component's spools, in MiB."""

RELAYSCOPE_SPOOL_HOURS: Final = "RELAYSCOPE_SPOOL_HOURS"
"""Upper bound of the time that records wait in a spool, in hours."""

RELAYSCOPE_OPAMP_ENDPOINT: Final = "RELAYSCOPE_OPAMP_ENDPOINT"
"""URL of the OpAMP server that is asked for levels; `none` if none shall be asked."""

# --- Commands that talk to a collector ------------------------------------------------------------
RELAYSCOPE_COLLECTOR: Final = "RELAYSCOPE_COLLECTOR"
"""URL of the collector that `relayscope level` asks."""

RELAYSCOPE_COLLECTOR_TOKEN: Final = "RELAYSCOPE_COLLECTOR_TOKEN"  # noqa: S105  # A variable's name.
"""Token that `relayscope level` presents."""

RELAYSCOPE_CONFIG: Final = "RELAYSCOPE_CONFIG"
"""The YAML file with the collector's settings."""

VARIABLES: Final = frozenset(name for name in vars() if name.startswith(PREFIX))
"""All of them."""
