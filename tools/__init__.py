"""What an agent can ask for: one typed function per tool, one list."""
