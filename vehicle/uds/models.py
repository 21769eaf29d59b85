"""What UDS diagnostics are answered with; imports pydantic only."""
