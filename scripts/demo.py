"""The main job on sample data: a real MCP client starts the server over stdio, lists, searches and opens one image."""

import sys
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent

COMMAND = Path(sys.executable).with_name("compshare-images-mcp")


def show(title: str, text: str) -> None:
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n== {title}")
    print(text)


def text_of(result: CallToolResult) -> str:
    text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    if result.is_error:
        sys.exit(text)
    return text


async def main() -> None:
    server = StdioServerParameters(command=str(COMMAND), args=["--sandbox"])
    async with Client(server) as client:
        tools = (await client.list_tools()).tools
        show("tools/list", "\n".join(f"{tool.name}: {tool.description}" for tool in tools))

        arguments = {"query": "数字人", "gpu_type": "4090", "limit": 3}
        found = await client.call_tool("search_community_images", arguments)
        show(f"search_community_images {arguments}", text_of(found))

        best = found.structured_content["images"][0]["compshare_image_id"]
        opened = await client.call_tool("get_image_detail", {"compshare_image_id": best, "readme_limit": 600})
        show(f"get_image_detail {best}", text_of(opened))


if __name__ == "__main__":
    anyio.run(main)
