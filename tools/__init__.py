"""What an agent can ask for: one typed function per tool, one list."""

from typing import Any

from tools.lookup import decode_vin, lookup_trouble_code
from tools.registry import Tool

TOOLS: tuple[Tool[Any, Any], ...] = (
    decode_vin,
    lookup_trouble_code,
)
