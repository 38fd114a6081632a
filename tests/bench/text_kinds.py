"""The kinds of text that MCP carries, made from a seed in any size, clean or with one secret.

A text is as many pieces as fill it. A piece is a template whose marks are filled anew each time, so
that no two texts are the same: `§w` is a word, `§i` a number, `§f` a float, `§x` eight hexadecimal
digits, `§u` a UUID, `§t` a time, `§z` Chinese, `§e` an emoji, `§b` base64, `§k` a secret.
"""

import base64
import json
import re
import string
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

_WORDS: Final = re.findall(
    r"\S+",
    "the meeting of next week value index result number buffer reads each window state order total "
    "user path cache because relay message server answer color table client where given summer",
)
_MARK: Final = re.compile("§(.)")
_EMOJI: Final = "😀🚀🎉👍🏽❤️🔥✅🧪🐍🌍"
_ALPHANUMERIC: Final = string.ascii_letters + string.digits


def _binary(chance: Random) -> str:
    return base64.b64encode(chance.randbytes(45)).decode()


_FILLERS: Final[dict[str, Callable[[Random], str]]] = {
    "w": lambda chance: chance.choice(_WORDS),
    "i": lambda chance: str(chance.randrange(10 ** chance.randint(1, 6))),
    "f": lambda chance: repr(chance.uniform(-180, 180)),
    "x": lambda chance: f"{chance.getrandbits(32):08x}",
    "u": lambda chance: str(UUID(int=chance.getrandbits(128), version=4)),
    "t": lambda chance: (
        f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        f"T{chance.randrange(24):02}:{chance.randrange(60):02}:07.{chance.randrange(1000):03}+01:00"
    ),
    "z": lambda chance: "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(8)),
    "e": lambda chance: chance.choice(_EMOJI),
    "b": _binary,
    "k": lambda chance: "".join(chance.choices(_ALPHANUMERIC, k=32)),
}


def filled(template: str, chance: Random) -> str:
    """Fill a template's marks."""
    return _MARK.sub(lambda mark: _FILLERS[mark[1]](chance), template)


def _answered(text: str) -> str:
    return _message([{"type": "text", "text": text}])


def _message(content: Any) -> str:
    message = {"jsonrpc": "2.0", "id": 7, "result": {"content": content}}
    return json.dumps(message, ensure_ascii=False)


def _image(pieces: str) -> str:
    """Make an image, with the line that is in its middle as a text beside it."""
    before, line, after = f"{pieces}\n\n".split("\n", 2)
    image = {"type": "image", "data": before + after.strip(), "mimeType": "image/png"}
    return _message([image, {"type": "text", "text": line}])


def _image_uri(data: str) -> str:
    return _answered(f"![plot](data:image/png;base64,{data})")


def _structured(members: str) -> str:
    head = '{"jsonrpc":"2.0","id":7,"result":{"content":[],"structuredContent":{"rows":['
    return f"{head}{members}]}}}}}}"


def _quoted(members: str) -> str:
    return _answered(json.dumps({"rows": json.dumps(json.loads(f"[{members}]"))}))


def _tools(members: str) -> str:
    return f'{{"jsonrpc":"2.0","id":7,"result":{{"tools":[{members}]}}}}'


def _batch(members: str) -> str:
    return f"[{members}]"


@dataclass(frozen=True)
class Kind:
    """One kind of text.

    Attributes:
        templates: Of its pieces.
        joint: Between two pieces.
        secret: The template of a piece with a secret.
        message: Makes of the pieces the JSON-RPC message that carries them.
    """

    templates: tuple[str, ...]
    joint: str = "\n"
    secret: str = "password=§k"
    message: Callable[[str], str] = _answered

    def text(self, chance: Random, size: int, *, secret: bool) -> str:
        """Make a message of about so many bytes, the secret in its middle."""
        room = size - len(self.message(""))
        middle = room // 2
        pieces: list[str] = []
        while room > 0:
            template = self.secret if secret and room <= middle else chance.choice(self.templates)
            secret = secret and template is not self.secret
            pieces.append(filled(template, chance))
            room -= len((self.joint + pieces[-1]).encode())
        return self.message(self.joint.join(pieces))


class Library(Kind):
    """Source code that people wrote: modules of Python's own library, from a line by chance on."""

    def text(self, chance: Random, size: int, *, secret: bool) -> str:
        """Make a message with it. It is clean, but for what the library's examples hold."""
        lines: list[str] = []
        left = size
        while left > 0:
            module = chance.choice(_modules()).read_text(errors="replace").splitlines()
            start = chance.randrange(len(module)) if module else 0
            for line in module[start:]:
                lines.append(line)
                left -= len(json.dumps(line)) - 1
                if left <= 0:
                    break
        if secret:
            lines.insert(len(lines) // 2, filled(self.secret, chance))
        return self.message("\n".join(lines))


@cache
def _modules() -> list[Path]:
    library = Path(sysconfig.get_path("stdlib"))
    return sorted([*library.glob("*.py"), *library.glob("[a-z]*/*.py")])


def _json(*templates: str, message: Callable[[str], str] = _structured, secret: str = "") -> Kind:
    return Kind(templates, ",", secret or '{"id": §i, "token": "§k"}', message)


def _source(*templates: str) -> Kind:
    return Kind(templates, secret='API_KEY = "§k"')


KINDS: Final = {
    "image": Kind(("§b",), "", "\npassword=§k\n", _image),
    "image in a data: URI": Kind(("§b",), "", ")\npassword=§k\n(", _image_uri),
    "base64 in a text": Kind(("§b",), "", "\npassword=§k\n"),
    "base64 with line breaks": Kind(("§b",)),
    "hex": Kind(("§x§x§x§x",), ""),
    "minified JavaScript": Kind(
        (
            'function §w§i(t,e){return t.§w?e("§w",{§w:!0,§w:§i}):void 0===n&&(n=r[§i])}',
            "var a§i=s(§i),u=o.n(a§i);!function(){for(;i<§i;)i+=f.§w||0}();",
        ),
        "",
        'x.token="§k";',
    ),
    "Python source": _source(
        "    def §w_§w(self, §w: int = §i) -> dict[str, list[§w]]:",
        '        """Return the §w of a §w, or the §w that is §w."""',
        "        if self._§w is None or len(§w) > §i:\n            raise ValueError(f'§w {§w!r}')",
        "        return {key: value.§w() for key, value in self._§w.items() if key != '§w'}",
        '        token = self._tokens.get("§w", os.environ.get("§w"))',
    ),
    "library source": Library((), secret='API_KEY = "§k"'),
    "Java source": _source(
        "    private final Map<String, List<§w>> §w§i = new HashMap<>();",
        "    public Optional<§w> get§w(@NotNull final String §w, int §w) throws IOException {",
        '        LOGGER.debug("§w {} of {}", §w.§w(), this.§w); // the §w of a §w',
        "        return passwordEncoder.matches(password, user.getPassword());\n    }",
    ),
    "TypeScript source": _source(
        "export const §w = async (§w: Request<§w>, token: string): Promise<§w[]> => {",
        "  const { §w, §w } = await this.§w.find({ where: { id: `${§w}-§i` } });",
        "  return §w?.map((each) => ({ ...each, §w: §i })) ?? [];\n};",
    ),
    "diff": _source(
        "@@ -§i,7 +§i,9 @@ def §w(§w):", "-    §w = §w(§i)", "+    §w = §w.§w(§i, '§w')"
    ),
    "log": Kind(
        (
            "§t INFO [§w-§i] com.example.§w.§w: §w §w in §i ms, request_id=§x",
            '127.0.0.1 - - [§t] "GET /§w/§w?page=§i HTTP/1.1" 200 §i "-" "curl/8.1"',
        )
    ),
    "stack trace": Kind(
        (
            '  File "/srv/§w/§w.py", line §i, in §w',
            "    at com.example.§w.TokenFilter.§w(TokenFilter.java:§i)",
        )
    ),
    "HTML": Kind(
        (
            '<div class="§w §w-§i" id="§w"><a href="/§w/§i?§w=§w&amp;p=§i">§w §w</a></div>',
            "<td>§i</td><td><b>§w</b> §w</td>",
        ),
        "",
        '<input name="password" value="§k">',
    ),
    "CSS": Kind((".§w-§i > a:hover { color: #§x; margin: §ipx 0; --§w-token: var(--§w) }",)),
    "SQL": Kind(
        ("INSERT INTO §w (id, §w, §w) VALUES (§i, '§w §w', §f);", "SELECT §w, count(*) FROM §w;"),
        secret="ALTER USER §w PASSWORD '§k';",
    ),
    "prose": Kind(("§w §w §w §w, §w §w §w. The §w §w §w",), " "),
    "prose about tokens": Kind(
        (
            "The token of a §w is a secret that a §w keeps; a password is not.",
            "Send the API key with §w §w, and authorization §w.",
        ),
        " ",
        "The password is: §k .",
    ),
    "Unicode": Kind(("Überprüfung des §w: größer, naïve, cœur, Ελλάδα, Москва, §w",), ", "),
    "Chinese": Kind(("§z\uff0c§z\u3002",), ""),
    "emoji": Kind(("§e§e §w §e",), " "),
    "timestamps": Kind(("§t",)),
    "numbers": Kind(("§f, §i, §i, §f",)),
    "UUIDs": Kind(("§u",)),
    "escapes": Kind(('C:\\§w\\§w\t"§w"\u0001\n\\u00e9\\n',), ""),
    "percent-encoded": Kind(("%7B%22§w%22%3A%20§i%2C%22§w%22%7D+§w%2F§x",), "&"),
    ".env": Kind(("# the §w of §w", "§w_§w=§i", 'APP_§w="§w §w"', "§w_URL=http://§w:§i/§w")),
    "YAML": Kind(
        ("- name: §w-§i\n  image: §w/§w:§i\n  env:\n    - name: §w\n      value: '§w'",),
        secret="- name: §w\n  password: §k",
    ),
    "CSV": Kind(("§i,§w,§w §w,§f,§t,§u",)),
    "JSON rows": _json('{"id": §i, "name": "§w", "ok": true, "n": §f}'),
    "nested JSON": _json('{"§w": {"§w": [{"§w": {"§w": {"§w": [§i, null, "§w"]}}}, []]}}'),
    "JSON in JSON": _json('{"id": §i, "name": "§w", "n": [§f, "§w"]}', message=_quoted),
    "tools/list": _json(
        '{"name": "§w_§w", "description": "Return the §w of a §w; needs a token.", "inputSchema": '
        '{"type": "object", "properties": {"§w": {"type": "string", "description": "The §w §w."}, '
        '"max_tokens": {"type": "integer", "default": §i}}, "required": ["§w"]}}',
        message=_tools,
        secret='{"name": "§w", "_meta": {"api_key": "§k"}}',
    ),
    "pages and progress": _json(
        '{"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": §i, '
        '"progress": §i, "message": "§w §w"}}',
        '{"jsonrpc": "2.0", "id": §i, "result": {"resources": [{"uri": "file:///§w/§i", "name": '
        '"§w"}], "nextCursor": "§x§x"}}',
        message=_batch,
        secret='{"jsonrpc": "2.0", "id": §i, "method": "§w", "params": {"api_key": "§k"}}',
    ),
    "calls with arguments": _json(
        '{"jsonrpc": "2.0", "id": §i, "method": "tools/call", "params": {"name": "§w", '
        '"arguments": {"§w": "§w §w §w", "timezone": "Europe/Berlin", "at": "§t"}}}',
        message=_batch,
        secret='{"jsonrpc": "2.0", "id": §i, "method": "tools/call", "params": {"name": "§w", '
        '"arguments": {"api_key": "§k"}}}',
    ),
}
