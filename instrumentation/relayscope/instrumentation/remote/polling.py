"""The thread of a forwarder that asks for the levels of each of its processes.

The library's own agent (`opentelemetry._opamp.agent`) has two threads for each process, an id that
is new each time, and waits up to 17 minutes when nobody answers; so only its messages are used.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

import requests

from relayscope.instrumentation.delivery.origin import Origin

from .agent import Agent, offered
from .endpoint import Endpoint
from .rules_file import ComponentRules, RulesFile

_log = logging.getLogger(__name__)

_FIRST_SECONDS: Final = 0.2
_SECONDS: Final = 2.0
"""Seconds between questions, and so a change's longest wait. A question costs both sides 2 ms."""

_JITTER: Final = 0.2
"""Forwarders that were started together do not ask together; a change waits no longer for that."""

_LONGEST_PAUSE: Final = 10.0
_LONGEST_REFUSED_PAUSE: Final = 60.0
"""Seconds between questions while nobody answers, and while a server answers that knows no
OpAMP."""

_CONFIRMED_SECONDS: Final = 6 * 3600.0
"""Seconds after which the same rules are written anew: hosts take none that are older than a
day."""

_TIMEOUT: Final = 3.0
_LARGEST: Final = 256 * 1024
_END_SECONDS: Final = 1.0


class _Refused(Exception):
    """The server refuses to answer until somebody puts something right."""


class Polling:
    """Asks as long as it is open."""

    def __init__(
        self,
        endpoint: Endpoint,
        file: RulesFile,
        processes: Callable[[], Mapping[Path, Origin]],
    ) -> None:
        """Begin.

        Args:
            endpoint: The OpAMP server to ask.
            file: Takes the rules that are answered.
            processes: Returns those to ask for, by the folders of their spools.
        """
        self._endpoint = endpoint
        self._file = file
        self._processes = processes
        self._agents: dict[Path, Agent] = {}
        self._session = requests.Session()
        self._session.headers.update({**endpoint.headers, "content-type": "application/x-protobuf"})
        self._session.verify = endpoint.authority
        self._session.cert = endpoint.certificate
        self._pause = _FIRST_SECONDS
        self._trouble = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relayscope-opamp", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._thread.join(_END_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            try:
                has_asked = self._round()
            except (requests.RequestException, OSError, ValueError) as error:
                self._wait_longer(error, _LONGEST_PAUSE)
            except _Refused as error:
                self._wait_longer(error, _LONGEST_REFUSED_PAUSE)
            except Exception as error:  # noqa: BLE001  # whatever a server may answer
                _log.exception("levels cannot be asked for")
                self._wait_longer(error, _LONGEST_REFUSED_PAUSE)
            else:
                self._trouble = ""
                self._pause = _jittered(_SECONDS) if has_asked else _FIRST_SECONDS

    def _round(self) -> bool:
        """Ask for each process; return whether there is any."""
        processes = self._processes()
        for folder, origin in processes.items():
            if folder not in self._agents:
                self._agents[folder] = Agent(folder, origin)
        for folder, agent in list(self._agents.items()):
            if folder in processes:
                self._ask(agent)
            else:
                # If that does not arrive, the process has fallen silent.
                del self._agents[folder]
                self._post(agent.last_message())
            if self._stop.is_set():
                break
        return bool(self._agents)

    def _ask(self, agent: Agent) -> None:
        found = self._given()
        offer = offered(self._post(agent.message("" if found is None else found.hash)))
        if offer is not None:
            self._file.write(*offer_on_our_clock(offer))

    def _given(self) -> ComponentRules | None:
        """Return the rules in the file; None if they cannot be read, or are about to be too old."""
        with suppress(OSError, ValueError):
            given = self._file.read()
            return given if abs(time.time() - given.written) < _CONFIRMED_SECONDS else None
        return None

    def _post(self, body: bytes) -> bytes:
        url = self._endpoint.url
        with self._session.post(url, data=body, timeout=_TIMEOUT, stream=True) as answer:
            if 400 <= answer.status_code < 500 and answer.status_code != 429:  # noqa: PLR2004  # HTTP's own numbers
                raise _Refused(f"HTTP {answer.status_code} {answer.reason}")
            answer.raise_for_status()
            content: bytes = answer.raw.read(_LARGEST + 1, decode_content=True)
        if len(content) > _LARGEST:
            raise ValueError(f"an answer has more than {_LARGEST} bytes")
        return content

    def _wait_longer(self, error: Exception, longest: float) -> None:
        self._pause = _jittered(min(max(2 * self._pause, _SECONDS), longest))
        if self._trouble != type(error).__name__:
            self._trouble = type(error).__name__
            _log.info("levels cannot be asked for at %s: %s", self._endpoint.url, error)


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - _JITTER, 1)  # noqa: S311  # no secret


def offer_on_our_clock(offer: tuple[str, Any]) -> tuple[str, Any]:
    """Return an offer with the times that this machine's clock will show then."""
    known, content = offer
    if isinstance(content, dict) and isinstance(sent := content.pop("now", None), int | float):
        shift = time.time() - sent
        for rule in content.get("rules") or ():
            if isinstance(rule, dict) and isinstance(until := rule.get("until"), int | float):
                rule["until"] = until + shift
    return known, content
