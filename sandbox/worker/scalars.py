"""Single values as JSON has them."""

import datetime
import math
import numbers
from typing import Any

LONGEST_TEXT = 8000


def plain(value: object) -> Any:
    """Return a number, text, truth value or time as JSON has it; what is no number there becomes None."""
    import pandas as pd

    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, numbers.Integral):
        return int(value) if abs(int(value)) < 2**63 else str(value)[:LONGEST_TEXT]
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(float(value)) else None
    if type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return str(value)[:LONGEST_TEXT]
