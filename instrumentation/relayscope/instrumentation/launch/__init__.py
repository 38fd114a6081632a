"""Starting a program so that OpenTelemetry and relayscope are loaded into it."""
