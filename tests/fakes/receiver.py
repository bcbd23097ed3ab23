"""A receiver of webhooks over TLS: a real HTTP server that verifies, remembers, and answers each path as scripted."""

import asyncio
import contextlib
from collections import defaultdict

from aiohttp import web
from standardwebhooks.webhooks import Webhook


class Receiver:
    """Answers POSTs; `script[path]` is a status, or a coroutine function of the request that makes the answer; 204 by default."""

    def __init__(self, secret, tls):
        self.script = {}
        self.got = defaultdict(list)  # path -> (webhook id, body), each verified
        self.forged = []
        self.port = 0
        self._webhook, self._tls = Webhook(secret), tls

    def url(self, path, host="127.0.0.1"):
        return f"https://{host}:{self.port}{path}"

    def ids(self, path):
        """The ids that arrived at *path*, in their order."""
        return [number for number, _ in self.got[path]]

    async def _serve(self, request):
        body = await request.read()
        try:
            self._webhook.verify(body, dict(request.headers), json_parse=False)
        except Exception as error:
            self.forged.append(error)
        self.got[request.path].append((request.headers.get("webhook-id"), body))
        answer = self.script.get(request.path, 204)
        return await answer(request) if callable(answer) else web.Response(status=answer)

    @contextlib.asynccontextmanager
    async def running(self):
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        # what still hangs at the end is cut off, not waited for
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            await runner.cleanup()


async def hang(_request):
    """Takes the request and never answers."""
    await asyncio.Event().wait()


async def drip(request):
    """Begins an answer, and sends its body a byte at a time, without end."""
    response = web.StreamResponse()
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):  # whoever has waited long enough goes
        while True:
            await response.write(b".")
            await asyncio.sleep(0.05)
    return response
