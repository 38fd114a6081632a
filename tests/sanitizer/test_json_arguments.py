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


@pytest.mark.parametrize(
    "arguments",
    [
        ["ssh", "-p", "2222x", "db"],
        ["mysql", "-p"],
        ["curl", "-u", "bob", "x"],
    ],
)
def test_arguments_of_other_commands_and_without_a_password_are_left_alone(
    arguments: list[str],
) -> None:
    """`-p` is a port for most commands, and MySQL asks for the password if none is given."""
    text = json.dumps(arguments)
    assert SANITIZER.text(text) is text
