"""Takes secrets out of telemetry before it is written anywhere."""

from relayscope.sanitizer.sanitizer import Sanitizer, Value

__all__ = ["Sanitizer", "Value"]
