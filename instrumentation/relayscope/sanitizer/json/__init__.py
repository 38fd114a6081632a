"""Secrets in JSON, by its names, its members and its schemas."""
