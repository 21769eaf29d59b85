"""What a second reading of trouble codes says that the first did not."""

from analysis.streaming.code_lists import CodeChange, code_changes, codes_of

ECU = "7E8"
NOTHING = codes_of([])


def read(**lists: list[str]) -> dict[tuple[str, str], frozenset[str]]:
    return dict(codes_of([(ECU, kind, codes) for kind, codes in lists.items()]))


def new(code: str, kind: str) -> CodeChange:
    return CodeChange(ECU, code, kind, True, kind)


def gone(code: str, kind: str, still: str | None = None) -> CodeChange:
    return CodeChange(ECU, code, kind, False, still)


def test_all_codes_of_a_first_reading_are_new_each_once_as_the_most_telling_kind() -> None:
    first = read(stored=["P0171"], pending=["P0171", "P0300"], permanent=["P0171"])
    assert code_changes(NOTHING, first) == [new("P0171", "stored"), new("P0300", "pending")]


def test_what_stays_is_not_told_again() -> None:
    both = read(stored=["P0171"], pending=[], permanent=["P0171"])
    assert code_changes(both, both) == []


def test_a_pending_code_that_matures_is_new_as_a_stored_one() -> None:
    before, now = read(stored=[], pending=["P0171"]), read(stored=["P0171"], pending=["P0171"])
    assert code_changes(before, now) == [new("P0171", "stored")]


def test_a_cleared_code_is_gone_and_what_is_left_of_it_is_said() -> None:
    before = read(stored=["P0171", "P0300"], pending=[], permanent=["P0171"])
    now = read(stored=[], pending=[], permanent=["P0171"])
    assert code_changes(before, now) == [gone("P0171", "stored", "permanent"), gone("P0300", "stored")]


def test_a_list_that_was_not_answered_says_nothing() -> None:
    before = read(stored=["P0171"], pending=["P0171"])
    assert code_changes(before, NOTHING) == []
    assert code_changes(before, read(pending=["P0171"])) == []
    assert code_changes(before, read(permanent=["P0171"])) == []


def test_ecus_are_told_apart() -> None:
    before = codes_of([("7E8", "stored", ["P0300"]), ("7E9", "stored", [])])
    now = codes_of([("7E8", "stored", []), ("7E9", "stored", ["P0300"])])
    assert code_changes(before, now) == [
        CodeChange("7E8", "P0300", "stored", False, None),
        CodeChange("7E9", "P0300", "stored", True, "stored"),
    ]
