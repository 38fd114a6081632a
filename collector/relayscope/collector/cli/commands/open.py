"""`relayscope open`."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

import click

from relayscope.collector.cli.options import CommandFailed, database_options
from relayscope.collector.serve.page_address import page_url
from relayscope.storage import place_of

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings


@click.command("open")
@database_options()
def open_page(*, settings: Settings) -> None:
    """Open the page of the collector that runs, in a browser, and print its address."""
    url = page_url(settings)
    if not url:
        raise CommandFailed(
            f"no collector with a page stores in {_place(settings)}: start `relayscope serve`, or "
            "say where its data is with --data-dir, --database-url or --config"
        )
    click.echo(f"The page: {url}/")
    webbrowser.open(url)


def _place(settings: Settings) -> str:
    if settings.database_url is None:
        return str(settings.data_dir)
    return f"{place_of(settings.database_url.get_secret_value())} (data_dir: {settings.data_dir})"
