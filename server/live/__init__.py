"""What is happening now: one hub of events, told over SSE, WebSocket and polling."""
