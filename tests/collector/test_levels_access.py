"""Rights to change levels, to see them, and to ask for them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry._opamp.proto import opamp_pb2

from relayscope.collector.config.settings import Settings
from relayscope.collector.ingest.health import Health
from relayscope.collector.ingest.inflight_limit import InflightLimit
from relayscope.collector.internal_telemetry.collector_metrics import CollectorMetrics
from relayscope.collector.internal_telemetry.component_class import ComponentClasses
from relayscope.collector.receive.access import Access
from relayscope.collector.receive.admission import Admission
from relayscope.collector.receive.http import make_app
from relayscope.collector.receive.level_routes import level_routes
from relayscope.collector.receive.refusal_log import RefusalLog
from relayscope.storage import create_engine
from tests.fix_levels import level, listed

if TYPE_CHECKING:
    from tests.fix_collector import Collector, StartCollector

TOKENS = {
    "ingest": "canary-ingest-0123456789",
    "read": "canary-read-0123456789",
    "admin": "canary-admin-0123456789",
}
SETTING = json.dumps(
    [{"name": f"a-{role}", "token": token, "role": role} for role, token in TOKENS.items()]
)
WISH = json.dumps({"component": "relay", "level": "TRACE", "by": "mallory"}).encode()
MESSAGE = opamp_pb2.AgentToServer(instance_uid=bytes(16)).SerializeToString()

REQUESTS: dict[str, tuple[str, str, bytes, str]] = {
    "set": ("POST", "/v1/levels", WISH, "application/json"),
    "reset": ("DELETE", "/v1/levels?component=relay", b"", ""),
    "list": ("GET", "/v1/levels", b"", ""),
    "ask": ("POST", "/v1/opamp", MESSAGE, "application/x-protobuf"),
}


@pytest.fixture
def guarded(start_collector: StartCollector) -> Collector:
    """A collector with a token for each role."""
    return start_collector(environment={"RELAYSCOPE_TOKENS": SETTING})


def status(collector: Collector, name: str, token: str | None, **headers: str) -> int:
    """Make one of the requests; return its status."""
    method, path, body, media_type = REQUESTS[name]
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return collector.ask(method, path, body, {"content-type": media_type} | headers).status


def test_each_role_may_do_what_is_its_own(guarded: Collector) -> None:
    """Agents ask with the token they send records with; only `admin` changes. RefusalLog count."""
    allowed = {
        role: [name for name in REQUESTS if status(guarded, name, token) == 200]
        for role, token in TOKENS.items()
    }

    assert allowed == {"ingest": ["ask"], "read": ["list"], "admin": list(REQUESTS)}
    assert [status(guarded, name, None) for name in REQUESTS] == [401] * 4
    assert [status(guarded, name, "wrong-0123456789") for name in REQUESTS] == [401] * 4
    assert [status(guarded, "set", TOKENS[role]) for role in ("ingest", "read")] == [403, 403]
    text = guarded.ask("GET", "/metrics", headers={"authorization": f"Bearer {TOKENS['read']}"})
    assert (
        'relayscope_requests_total{code="PERMISSION_DENIED",reason="PermissionDenied",'
        'signal="levels",transport="http"} 7.0'
    ) in text.body.decode()


def test_who_set_a_level_is_the_token_s_name(guarded: Collector) -> None:
    """A name in the request does not count, except where there are no tokens."""
    assert status(guarded, "set", TOKENS["admin"]) == 200

    (rule,) = listed(guarded, RELAYSCOPE_COLLECTOR_TOKEN=TOKENS["read"])["rules"]
    assert rule["by"] == "a-admin"


def test_the_command_says_why_it_was_refused(guarded: Collector) -> None:
    """With the wrong token, and without."""
    told = level(guarded, "set", "relay", "TRACE", RELAYSCOPE_COLLECTOR_TOKEN=TOKENS["ingest"])
    assert (told.returncode, "403" in told.stderr) == (1, True)
    told = level(guarded, "set", "relay", "TRACE")
    assert (told.returncode, "401" in told.stderr) == (1, True)
    told = level(guarded, "set", "relay", "TRACE", RELAYSCOPE_TOKENS=SETTING)
    assert told.returncode == 0


def test_a_page_in_a_browser_changes_nothing(collector: Collector) -> None:
    """It can reach this machine, but says where it is from, or sends what needs no asking."""
    assert status(collector, "set", None, origin="http://evil.example") == 403
    method, path, body, _ = REQUESTS["set"]
    assert collector.ask(method, path, body, {"content-type": "text/plain"}).status == 415
    assert listed(collector)["rules"] == []
    assert status(collector, "set", None) == 200


def test_without_tokens_only_this_machine_changes_levels(database_url: str, tmp_path: Path) -> None:
    """Also where the collector was told to listen elsewhere without them."""
    settings = Settings(data_dir=tmp_path, insecure=True)
    engine = create_engine(database_url)
    unused: Any = None
    admission = Admission(
        Access(()),
        InflightLimit(2**20),
        unused,
        CollectorMetrics(ComponentClasses({})),
        RefusalLog(),
    )
    health: Health = unused
    app = make_app(admission, health, settings, level_routes(engine, admission, settings))

    async def statuses(host: str) -> list[int]:
        transport = httpx.ASGITransport(app, client=(host, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [
                (
                    await client.request(
                        method, path, content=body, headers={"content-type": media_type}
                    )
                ).status_code
                for method, path, body, media_type in REQUESTS.values()
            ]

    try:
        assert asyncio.run(statuses("192.0.2.7")) == [403, 403, 200, 200]
        assert asyncio.run(statuses("::ffff:192.0.2.7")) == [403, 403, 200, 200]
        assert asyncio.run(statuses("127.0.0.1")) == [200] * 4
        assert asyncio.run(statuses("::1")) == [200] * 4
        assert asyncio.run(statuses("::ffff:127.0.0.1")) == [200] * 4
    finally:
        engine.dispose()
