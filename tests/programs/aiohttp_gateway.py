"""A gateway between streamable HTTP and streamable HTTP, served by aiohttp.

usage: aiohttp_gateway.py PORT URL

It answers JSON with a whole response, and server-sent events as they come.
"""

import sys
from collections.abc import Mapping

from aiohttp import ClientSession, ClientTimeout, web

TIMEOUT = 60
LARGEST = 2**26


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that concern both legs."""
    names = ("Accept", "Content-Type", "Mcp-Session-Id")
    return {name: headers[name] for name in names if name in headers}


def application(url: str) -> web.Application:
    """The gateway before the backend at this address."""

    async def post(request: web.Request) -> web.StreamResponse:
        body, headers = await request.read(), passed_on(request.headers)
        async with (
            ClientSession(timeout=ClientTimeout(TIMEOUT), read_bufsize=2**24) as session,
            session.post(url, data=body, headers=headers) as answer,
        ):
            headers = passed_on(answer.headers)
            if answer.content_type != "text/event-stream":
                whole = await answer.read()
                return web.Response(body=whole, status=answer.status, headers=headers)
            response = web.StreamResponse(status=answer.status, headers=headers)
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response

    application = web.Application(client_max_size=LARGEST)
    application.router.add_post("/mcp", post)
    return application


if __name__ == "__main__":
    _, port, url = sys.argv
    web.run_app(application(url), host="127.0.0.1", port=int(port), print=None)
