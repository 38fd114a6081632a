"""Values in XML and HTML."""

import pytest

from relayscope.sanitizer import Sanitizer
from tests.sanitizer.samples import CANARY

SANITIZER = Sanitizer.default()


@pytest.mark.parametrize(
    "text",
    [
        "<password>SECRET</password>",
        "<password><![CDATA[SECRET]]></password>",
        '<ns:token a="1">SECRET</ns:token>',
        "<td>Password</td><td>SECRET</td>",
        "<th>Password:</th>\n <td>SECRET</td>",
        "<dt>Password</dt><dd>SECRET</dd>",
        "<key>password</key>\n<string>SECRET</string>",
        "<name>db.password</name><value>SECRET</value>",
        '<string name="api_key">SECRET</string>',
        '<add key="token" value="SECRET"/>',
        '<input type="password" value="SECRET">',
        "<li><b>Password:</b> SECRET</li>",
    ],
)
@pytest.mark.parametrize("secret", ["hunter2", CANARY, "Xy7!kk9#pQ"])
def test_a_value_in_markup_is_found(text: str, secret: str) -> None:
    """Content, attributes, and the element behind one that names it."""
    marked = text.replace("SECRET", secret)
    cleaned = SANITIZER.text(marked)
    assert secret not in cleaned
    assert cleaned.split("[REDACTED")[0] == marked[: len(cleaned.split("[REDACTED")[0])]
    assert SANITIZER.text(cleaned) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "Map<String, Token> m; Optional<Token> t = find(x);",
        '<label for="password">Password</label><input type="password" name="password">',
        '<string name="password">Password</string>',
        "<td>token</td><td>string</td><td>The token to use</td>",
        "<th>Password</th><th>Email</th>",
    ],
)
def test_markup_about_a_secret_is_left_alone(text: str) -> None:
    """Labels, types and descriptions stay."""
    assert SANITIZER.text(text) is text
