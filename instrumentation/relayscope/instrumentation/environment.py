"""The variables that say what is recorded of this process, and the levels that they ask for.

Imports little: the command that starts a program needs it, and has to be quick.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from .level import Level
from .levels import Levels
from .profile import read_profile

LEVEL_VARIABLE: Final = "RELAYSCOPE_LEVEL"
PROFILE_VARIABLE: Final = "RELAYSCOPE_PROFILE"
PROFILES_FILE_VARIABLE: Final = "RELAYSCOPE_PROFILES_FILE"

CALL_SECONDS_VARIABLE: Final = "RELAYSCOPE_CALL_SECONDS"
"""After which a call that was not answered has failed."""

CHILDREN_VARIABLE: Final = "RELAYSCOPE_INSTRUMENT_CHILDREN"
"""Whether Python children are instrumented too; `true` or not set. They may be programs that have
nothing to do with MCP, so it has to be asked for."""


def chosen_levels() -> Levels:
    """Return the levels that the environment asks for: a profile's, with one level over it.

    Raises:
        ValueError: A variable or the profiles' file says something that it cannot say.
        OSError: The profiles' file cannot be read.
    """
    file = os.environ.get(PROFILES_FILE_VARIABLE)
    profile = os.environ.get(PROFILE_VARIABLE) or "development"
    levels = read_profile(profile, Path(file) if file else None)
    level = os.environ.get(LEVEL_VARIABLE)
    return replace(levels, level=Level.named(level)) if level else levels
