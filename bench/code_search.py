"""Searching 9,533 trouble codes by text, against difflib over the same titles: milliseconds a question, and the ratio.

Run: .venv/bin/python bench/code_search.py
"""

import difflib
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from vehicle.codes.catalogue import catalogue
from vehicle.codes.search import search_codes

QUESTIONS = ("misfire cylinder 3", "termostat", "sensor circuit low voltage", "lost comunication with module")
ROUNDS = 5


def timed(search: Callable[[str], object], question: str) -> float:
    """Return the milliseconds one search takes."""
    start = time.perf_counter()
    search(question)
    return 1e3 * (time.perf_counter() - start)


def main() -> None:
    """Measure in turn and print."""
    titles = [entry.title.lower() for entry in catalogue().values()]

    def scan(question: str) -> object:
        return difflib.get_close_matches(question, titles, n=20, cutoff=0.3)

    search_codes("warm")
    print(f"{len(titles):,} codes, median of {ROUNDS} rounds:")
    for question in QUESTIONS:
        pairs = [(timed(search_codes, question), timed(scan, question)) for _ in range(ROUNDS)]
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"  {question:32} {ours:6.1f} ms, difflib {theirs:7.1f} ms, ratio {ours / theirs:.3f}")


if __name__ == "__main__":
    main()
