"""Fixtures live in `fix_*.py`, by subject."""

pytest_plugins = [
    "tests.fix_collector",
    "tests.fix_delivery",
    "tests.fix_postgres",
    "tests.fix_programs",
    "tests.fix_proxy",
    "tests.fix_roles",
    "tests.fix_telemetry",
]
