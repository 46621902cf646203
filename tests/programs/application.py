"""An ASGI application for the servers of HTTP: it says where it runs, and gives back what it gets."""

import asyncio

CHUNK = 50_000

served = 0
waiting = 0


async def application(scope, receive, send):
    await {"lifespan": lifespan, "http": http, "websocket": websocket}[scope["type"]](scope, receive, send)


async def lifespan(scope, receive, send):
    while True:
        message = await receive()
        loop = type(asyncio.get_running_loop())
        print(f"{message['type']} on {loop.__module__}.{loop.__qualname__}", flush=True)
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def http(scope, receive, send):
    global served, waiting
    served += 1
    path = scope["path"]
    if path == "/":
        await respond(send, b"Hello")
    elif path == "/served":
        await respond(send, str(served).encode())
    elif path == "/loop":
        loop = type(asyncio.get_running_loop())
        await respond(send, f"{loop.__module__}.{loop.__qualname__}".encode())
    elif path == "/waiting":
        await respond(send, str(waiting).encode())
    elif path == "/echo":
        await start(send)
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            await send({"type": "http.response.body", "body": message["body"], "more_body": more})
    elif path.startswith("/bytes/"):
        size = int(path.removeprefix("/bytes/"))
        await start(send)
        for offset in range(0, size, CHUNK):
            body = bytes(min(CHUNK, size - offset))
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    elif path == "/never":
        waiting += 1
        try:
            # Ends when the client goes.
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            waiting -= 1
    else:
        await respond(send, b"", status=404)


async def start(send, status=200):
    headers = [(b"content-type", b"application/octet-stream")]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def respond(send, body, status=200):
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def websocket(scope, receive, send):
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "bytes": message.get("bytes"), "text": message.get("text")})
