"""Hooks for the host's own telemetry: its log records, and its own OpenTelemetry SDK."""
