"""Fixtures live in `fix_*.py`, by subject."""

import signal

# A shell gives its background jobs an ignored SIGINT, which all programs that these tests start
# would inherit; these tests may be such a job.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = [
    "tests.fix_collector",
    "tests.fix_delivery",
    "tests.fix_postgres",
    "tests.fix_programs",
    "tests.fix_proxy",
    "tests.fix_roles",
    "tests.fix_telemetry",
]
