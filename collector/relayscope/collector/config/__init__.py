"""Settings of the collector and of its sanitizer: read, merged and checked."""
