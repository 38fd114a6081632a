"""Values in XML and HTML."""

import pytest

from relayscope.sanitizer import Sanitizer
from tests.sanitizer.replacing import SECRETS, assert_secret_goes

SANITIZER = Sanitizer.default()


@pytest.mark.parametrize(
    "text",
    [
        "<password>SECRET</password>",
        "<password><![CDATA[SECRET]]></password>",
        "Hello<password>SECRET</password>",
        "é<ns:token><![CDATA[SECRET]]></ns:token>",
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
        "<p>Password: <code>SECRET</code></p>",
        '<div>API key: <span class="mono">SECRET</span></div>',
        '<input value="SECRET" type="hidden" name="csrf_token">',
        '<setting value="SECRET" key="smtp_password" />',
        '<label>Password</label> <input id="p" value="SECRET">',
        '<label>API key <input type="text" value="SECRET"></label>',
    ],
)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_value_in_markup_is_found(text: str, secret: str) -> None:
    """Content, attributes, and the element behind one that names it."""
    assert_secret_goes(SANITIZER, text, secret)


@pytest.mark.parametrize(
    "text",
    [
        "List<Token> tokens = find(x); List<Other> others = null;</code>",
        "Map<String, Token> m; Optional<Token> t = find(x);",
        '<label for="password">Password</label><input type="password" name="password">',
        '<string name="password">Password</string>',
        "<td>token</td><td>string</td><td>The token to use</td>",
        "<th>Password</th><th>Email</th>",
        '<input value="Save" type="submit" name="password_submit">',
        '<label>Token</label><input type="submit" value="Save">',
        '<input type="password" value={form.password} />',
        "<p>Password: <em>required</em></p>",
        "-p, --password <password>   the password of the user",
    ],
)
def test_markup_about_a_secret_is_left_alone(text: str) -> None:
    """Labels, types and descriptions stay."""
    assert SANITIZER.text(text) is text
