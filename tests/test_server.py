"""What a client is told of the server and its tools."""

import pytest
from mcp import Client

pytestmark = pytest.mark.anyio


async def test_both_tools_are_listed(client: Client) -> None:
    tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == ["search_community_images", "get_image_detail"]
