"""How the world reaches the tools: MCP, HTTP, chat, live streams, web pages, command line."""
