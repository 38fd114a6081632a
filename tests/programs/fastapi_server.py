"""A hand-written server on FastAPI: JSON-RPC at `/mcp`, and a health check.

usage: fastapi_server.py PORT [own]

With `own`, the host sets up an OpenTelemetry SDK for itself.
"""

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

app = FastAPI()


@app.get("/health")
def health() -> dict[str, bool]:
    """Say that all is well."""
    return {"ok": True}


@app.post("/mcp")
def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Answer with what was asked."""
    return {"jsonrpc": "2.0", "id": request["id"], "result": request.get("params", {})}


if __name__ == "__main__":
    if "own" in sys.argv:
        trace.set_tracer_provider(TracerProvider())
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
