"""Passwords in lists of a command's arguments."""

import json

import pytest

from relayscope.sanitizer import Sanitizer

SANITIZER = Sanitizer.default()


@pytest.mark.parametrize(
    ("arguments", "cleaned"),
    [
        (["mysql", "-uroot", "-pblue7fin", "app"], ["mysql", "-uroot", "-p{}", "app"]),
        (["curl", "-u", "bob:blue7fin", "x"], ["curl", "-u", "bob:{}", "x"]),
        (["sshpass", "-p", "blue7fin", "ssh"], ["sshpass", "-p", "{}", "ssh"]),
        (["redis-cli", "-a", "blue7fin", "ping"], ["redis-cli", "-a", "{}", "ping"]),
        (["mongosh", "-u", "bob", "-p", "blue7fin"], ["mongosh", "-u", "bob", "-p", "{}"]),
        (["docker", "login", "-p", "blue7fin", "x"], ["docker", "login", "-p", "{}", "x"]),
        (["/usr/bin/unzip", "-P", "blue7fin", "x"], ["/usr/bin/unzip", "-P", "{}", "x"]),
        (["ldapsearch", "-x", "-w", "blue7fin"], ["ldapsearch", "-x", "-w", "{}"]),
        (["http", "-a", "bob:blue7fin", "x"], ["http", "-a", "bob:{}", "x"]),
        (["smbclient", "//h/s", "-U", "bob%blue7fin"], ["smbclient", "//h/s", "-U", "bob%{}"]),
        (["sqlplus", "-S", "bob/blue7fin@db"], ["sqlplus", "-S", "bob/{}"]),
        (["openssl", "rsa", "-passin", "pass:blue7fin"], ["openssl", "rsa", "-passin", "pass:{}"]),
        # An escape in it: nobody knows where the password begins.
        (["mysql", '-p"7fin'], ["mysql", "{}"]),
    ],
)
def test_only_the_password_of_a_command_is_replaced(
    arguments: list[str], cleaned: list[str]
) -> None:
    """The options around it stay as they are, and so does the user before it."""
    expected = [each.format("[REDACTED:password]") for each in cleaned]
    assert json.loads(SANITIZER.text(json.dumps(arguments))) == expected
    assert SANITIZER.value([*arguments]) == expected


@pytest.mark.parametrize("members", ['"command": "http", "args": ', '"cmd": "zip", "argv": '])
def test_a_command_that_is_a_word_of_much_else_is_known_by_its_arguments(members: str) -> None:
    """A scheme of addresses and a postal code are no commands."""
    options = {"http": '["-a", "bob:blue7fin"]', "zip": '["-P", "blue7fin"]'}
    command = members.split('"')[3]
    assert "blue7fin" not in SANITIZER.text(f"{{{members}{options[command]}}}")
    text = f'{{"scheme": "{command}", "note": "-P blue7fin"}}'
    assert SANITIZER.text(text) is text


@pytest.mark.parametrize(
    "arguments",
    [
        ["ssh", "-p", "2222x", "db"],
        ["mysql", "-p"],
        ["curl", "-u", "bob", "x"],
        ["docker", "run", "-p", "8080:80x", "db"],
        ["mongosh", "-p", "--host", "db"],
        ["sqlplus", "/nolog", "@/opt/x.sql"],
    ],
)
def test_arguments_of_other_commands_and_without_a_password_are_left_alone(
    arguments: list[str],
) -> None:
    """`-p` is a port for most commands, and MySQL asks for the password if none is given."""
    text = json.dumps(arguments)
    assert SANITIZER.text(text) is text
