"""Calls of the operating system, with one branch for each system that has its own way."""
