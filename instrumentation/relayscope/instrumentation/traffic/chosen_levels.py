"""The variables that say what is recorded of this process, and the levels that they ask for.

Imports little: the command that starts a program needs it, and has to be quick.
"""

import os
from dataclasses import replace
from pathlib import Path

from relayscope.conventions.environment import (
    RELAYSCOPE_LEVEL,
    RELAYSCOPE_PROFILE,
    RELAYSCOPE_PROFILES_FILE,
)

from .level import Level
from .levels import Levels
from .profile import read_profile


def chosen_levels() -> Levels:
    """Return the levels that the environment asks for: a profile's, with one level over it.

    Raises:
        ValueError: A variable or the profiles' file says something that it cannot say.
        OSError: The profiles' file cannot be read.
    """
    file = os.environ.get(RELAYSCOPE_PROFILES_FILE)
    profile = os.environ.get(RELAYSCOPE_PROFILE) or "development"
    levels = read_profile(profile, Path(file) if file else None)
    level = os.environ.get(RELAYSCOPE_LEVEL)
    return replace(levels, level=Level.named(level)) if level else levels
