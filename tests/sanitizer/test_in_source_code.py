"""Secrets in the midst of source code that others wrote: Python's own library."""

import sysconfig
from collections.abc import Iterator
from pathlib import Path
from random import Random
from string import ascii_letters, digits
from typing import Final

import pytest

from relayscope.sanitizer import Sanitizer

_FORMS: Final = (
    'password = "{}"\n',
    '    "api_key": "{}",\n',
    "    token='{}',\n",
    'def connect(host: str, password: str = "{}") -> None:\n',
    '  private String dbPassword = "{}";\n',
    'const token: string = "{}";\n',
    '$password = "{}";\n',
    '$config->{{password}} = "{}";\n',
    "Authorization: Bearer {}\n",
    '  set_password("{}")\n',
    'self.token = "{}"\n',
    "<password>{}</password>\n",
    "app --password {}\n",
    'login("bob", password="{}")\n',
    '#define API_KEY "{}"\n',
    'token := "{}"\n',
    "Your password is: {}\n",
    '{{"name": "DB_PASSWORD", "value": "{}"}}\n',
)
_MODULES: Final = 24
_LENGTH: Final = 16


def _modules() -> Iterator[str]:
    """The source code of some modules, each of 8 to 64 kB."""
    library = Path(sysconfig.get_path("stdlib"))
    sized = [each for each in sorted(library.glob("*.py")) if 8_000 < each.stat().st_size < 64_000]
    for module in Random(17).sample(sized, _MODULES):
        yield module.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("form", _FORMS)
def test_a_secret_is_found_wherever_it_stands_in_source_code(form: str) -> None:
    """The code around a literal does not hide it."""
    sanitizer, random = Sanitizer.default(), Random(form)
    for source in _modules():
        lines = source.splitlines(keepends=True)
        at = random.randrange(len(lines))
        secret = "q7" + "".join(random.choices(ascii_letters + digits, k=_LENGTH))
        text = "".join([*lines[:at], form.format(secret), *lines[at:]])
        assert secret not in sanitizer.text(text), (form, lines[at - 3 : at + 3])
