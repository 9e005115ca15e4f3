"""An ASGI application, for uvicorn, that streams events over SSE and goes quiet."""

import asyncio


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for silence, event in ((0, b"hello"), (2.5, b"still here"), (3600, b"too late")):
        await asyncio.sleep(silence)
        body = b"data: " + event + b"\n\n"
        await send({"type": "http.response.body", "body": body, "more_body": True})
