"""`relayscope open`."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

import click

from relayscope.collector.cli.options import CommandFailed, settings_options
from relayscope.collector.serve.page_address import page_url

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings


@click.command("open")
@settings_options("data_dir", "database_url")
def open_page(*, settings: Settings) -> None:
    """Open the page of the collector that runs, in a browser, and print its address."""
    url = page_url(settings)
    if not url:
        raise CommandFailed(
            f"no collector with a page stores in {settings.data_dir}: start `relayscope serve`, or "
            "say where its data is with --data-dir"
        )
    click.echo(f"The page: {url}/")
    webbrowser.open(url)
