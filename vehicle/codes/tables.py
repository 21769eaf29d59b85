"""Reads the tables shipped beside this package."""

import csv
import gzip
import io
from importlib.resources import files


def rows(name: str) -> list[list[str]]:
    """Return the rows of a shipped CSV table; a name that ends in .gz is unpacked."""
    raw = (files("vehicle.codes") / "data" / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode("utf-8")
    return list(csv.reader(io.StringIO(text, newline="")))
