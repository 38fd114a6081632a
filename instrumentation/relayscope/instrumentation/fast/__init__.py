"""Cheaper equivalents of the SDK's own spans, ids and propagators."""
