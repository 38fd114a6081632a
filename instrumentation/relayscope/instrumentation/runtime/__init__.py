"""Guests' manners in the host process: errors, threads, stderr, and the one sanitizer."""
