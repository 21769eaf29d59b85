"""What differs between sessions, at the operating points they share."""

from analysis.compare.session import compare

__all__ = ["compare"]
