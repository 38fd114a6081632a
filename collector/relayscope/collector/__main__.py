"""`python -m relayscope.collector` is the command `relayscope`."""

from relayscope.collector.command import main

main(prog_name="relayscope")
