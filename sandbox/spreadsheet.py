"""Takes the power out of cells that a spreadsheet would run as a formula when it opens a CSV file."""

import re

MIMES = ("text/csv", "text/tab-separated-values")
_NUMBER = rb"[+\-]?(?:[\d.]+(?:[eE][+\-]?\d+)?|inf|nan)"
# The start of a cell, whatever the delimiter is; then what makes a formula. A number is none, nor is text after a
# dash that calls nothing: "-1 days +00:00:05", "- note".
_FORMULA = re.compile(
    rb"(\A(?:\xef\xbb\xbf)?|[,;\t\r\n])([ \"]*)"
    rb"(?!" + _NUMBER + rb"[ \"]*(?:[,;\t\r\n]|\Z))"
    rb"(?=[=@+]|-[^,;\t\r\n\"]*[(|!=@])"
)


def harmless(data: bytes) -> tuple[bytes, int]:
    """Return the table with an apostrophe before every cell that would be run, and how many there were."""
    return _FORMULA.subn(rb"\1\2'", data)
