"""The sandbox in place of the network, under the same client."""

from urllib.parse import parse_qsl
from uuid import uuid4

import httpx

from compshare_images.sandbox.service import Sandbox


class SandboxTransport(httpx.AsyncBaseTransport):
    def __init__(self, sandbox: Sandbox | None = None) -> None:
        self._sandbox = sandbox or Sandbox()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl((await request.aread()).decode(), keep_blank_values=True))
        return httpx.Response(200, json=self._sandbox.answer(form), headers={"X-UCLOUD-REQUEST-UUID": str(uuid4())})
