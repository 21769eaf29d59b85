// An MCP client in TypeScript's SDK: lists the tools, calls two, prints what it got as JSON.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: "test", version: "1.0.0" });
await client.connect(new StdioClientTransport({ command, args, env: process.env }));
const { tools } = await client.listTools();
const good = await client.callTool({ name: "decode_vin", arguments: { vin: "1HGCM82633A004352" } });
const bad = await client.callTool({ name: "decode_vin", arguments: { vin: "1HGCM82633A004352", typo: 1 } });
console.log(JSON.stringify({ tools: tools.map((tool) => tool.name), good, bad }));
await client.close();
