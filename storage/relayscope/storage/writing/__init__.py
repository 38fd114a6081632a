"""Writing batches: rows by binary COPY, resources and scopes once, refused rows left out."""

from relayscope.storage.writing.unstored_rows import unstored
from relayscope.storage.writing.writer import Writer

__all__ = ["Writer", "unstored"]
