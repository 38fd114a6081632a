"""A second search finds a secret that the first left readable because of one beside it (D4)."""

import pytest

from relayscope.sanitizer import Rules, Sanitizer
from relayscope.sanitizer.cleaning.aftermath import Aftermath, Unrest
from relayscope.sanitizer.findings import Finding
from relayscope.sanitizer.model import Step
from relayscope.sanitizer.names.names import Names
from tests.sanitizer.samples import CANARY, RULES

SANITIZER = Sanitizer.from_rules(Rules.default())
AFTERMATH = Aftermath(Names(RULES.keys, (), ()))

_PEM = "-----BEGIN PRIVATE" + " KEY-----\nMIIEpAIBAAKCAQEA7VJTUt9Us8cK\n-----END PRIVATE KEY-----"
_SHOWN = [
    # What is left of a member's name is another one.
    f'{{"token:is":"{CANARY}"}}',
    f'{{"CONSUMERKEY=RB": "{CANARY}"}}',
    # The value of a name before it goes on around it.
    f"Authorization:{_PEM} {CANARY}",
    f'sessionid:"{CANARY}=1 pw=0cookie',
    f'cvv:"net use {CANARY} /user:b hcookie',
    f'cookie="{CANARY} iban 8p.authorization_P',
    f"PASSWD:{CANARY}|nfp_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
    f"-passord {CANARY} PHPSESSID= a",
    # Signs of its own that meant something to what is around.
    f"Driver={{PostgreSQL}};Server=db;Uid=bob;Pwd={{vQ9;rT2x}}}}{CANARY}}};",
    f'{{"recoveryphrase=":a" {CANARY}',
    f'"&quot;authorization= \\u0022"D {CANARY}',
    # A long one kept its neighbours apart.
    f'"sk-ant-api03-aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789_-AA\\"storepass=\\n{CANARY}99',
]


@pytest.mark.parametrize("text", _SHOWN)
def test_a_secret_beside_another_one_is_found_at_once(text: str) -> None:
    """Whatever a second run would hide, the first one does."""
    once = SANITIZER.text(text)
    assert CANARY not in once
    assert SANITIZER.text(once) == once


def test_a_number_before_another_secret_is_found_at_once() -> None:
    """A card's number that was no number by itself is one now."""
    cleaned = SANITIZER.text("378282246310005.sbp_v0_f3176813e02ea68ef786e4d3cea27d26934b484e")
    assert cleaned == "[REDACTED:card-number].[REDACTED:platform-token]"


@pytest.mark.parametrize(
    "text", ["privkey: f)c \\", "token= f ,T", "pw: P] p", "Authorization:g}U =", "Bearer =X} o"]
)
def test_what_follows_a_replaced_parameter_stays(text: str) -> None:
    """A marker is as good a parameter as the word was that it stands for."""
    once = SANITIZER.text(text)
    assert text.endswith(once.rpartition("[REDACTED:")[2].partition("]")[2])
    assert SANITIZER.text(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "A=1\nexport PASSWORD=<<hunter2x>>\nB=2\n",
        '{"a": 1, "token": "<<hunter2x>>", "password": null}',
        '{"text": "{\\"token\\":\\"<<hunter2x>>\\",\\"password\\":1}"}',
        '{"text": "x\\nAPI_KEY = \\"<<hunter2x>>\\"\\ny"}',
        "GET /x?token=<<hunter2x>>&password=",
        "12:00 login user=bob token=<<hunter2x>> took 3 ms",
        "Authorization: Bearer <<mF_9.B5f-4.1JqM>>\n",
        '<input name="password" value="<<hunter2x>>">',
        "The secret is kept. The password is: <<hunter2x>> .",
        "ALTER USER bob PASSWORD '<<hunter2x>>';",
    ],
)
def test_a_secret_of_the_usual_kind_is_searched_for_once(text: str) -> None:
    """Nearly all texts with a secret take one search, not two."""
    before, secret, behind = text.replace("<<", ">>").split(">>")
    start, end = len(before), len(before) + len(secret)
    finding = Finding(start, end, "[REDACTED:x]", "x", Step.KEYS, len(secret))
    assert AFTERMATH.of(before + secret + behind, [finding]) is Unrest.NONE


def test_a_text_with_no_work_left_for_another_search_stays() -> None:
    """A search that only might find something drops nothing."""
    text = "".join(f"Bearer {CANARY}{number}abc " for number in range(4000))
    cleaned = SANITIZER.text(f'{text}\npassword="a(b;c"\n')
    assert cleaned.count("[REDACTED:") == 4001
