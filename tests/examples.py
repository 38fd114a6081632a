"""Examples that hypothesis tries: a quarter of the usual number, or four times it.

The quick ones are the same in each run, so that a change is judged by what it changes; the thorough
ones are others each time.
"""

from typing import Final

from hypothesis import HealthCheck, settings

QUICK: Final = "quick"
THOROUGH: Final = "thorough"
_USUAL: Final = 100

for _name, _share in ((QUICK, 1 / 4), (THOROUGH, 4)):
    settings.register_profile(
        _name,
        max_examples=int(_USUAL * _share),
        derandomize=_name == QUICK,
        # No test asserts seconds: a machine may have other work.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def examples(usual: int) -> int:
    """Return how many examples a test tries that usually needs so many."""
    return max(1, usual * settings().max_examples // _USUAL)
