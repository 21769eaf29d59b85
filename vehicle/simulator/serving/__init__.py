"""The lines by which hosts reach the adapter: sockets and pseudo-terminals."""
