"""Cuts the passage out of a page that holds most of what was searched for."""

import re
from collections.abc import Collection

EXCERPT_CHARS = 400


def excerpt(text: str, matched: Collection[str], chars: int = EXCERPT_CHARS) -> str:
    """Return the passage of about `chars` characters with most different matched words, cut at word ends."""
    from storage.words import stem_of

    flat = " ".join(text.split())
    places = [(m.start(), word) for m in re.finditer(r"\w+", flat) if (word := stem_of(m.group())) in matched]
    if len(flat) <= chars:
        return flat
    start = max(_windows(places, chars), default=(0, 0, 0))[2]
    begin = max(0, start - chars // 4)
    cut = flat[begin : begin + chars]
    if begin:
        cut = "… " + cut.partition(" ")[2]
    return cut if begin + chars >= len(flat) else cut.rpartition(" ")[0] + " …"


def _windows(places: list[tuple[int, str]], chars: int) -> list[tuple[int, int, int]]:
    """Return for every place how many different and how many words follow it closely; the first place wins ties."""
    windows = []
    for index, (start, _) in enumerate(places):
        near = [word for place, word in places[index : index + 50] if place - start < chars * 3 // 4]
        windows.append((len(set(near)), len(near), start))
    best = max(((distinct, count) for distinct, count, _ in windows), default=(0, 0))
    return [window for window in windows if window[:2] == best][:1]
