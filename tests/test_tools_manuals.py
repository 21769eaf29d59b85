"""Manuals are searched by their words, and every passage is cited with the page it stands on."""

import sys
from pathlib import Path
from threading import Event

import pytest
from pdfs import write_endless_pdf, write_packed_page, write_pdf
from storage_databases import BACKENDS, database

from storage.records import ManualPage
from storage.store import open_store
from tools import pdf_pages, pdf_process
from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.excerpts import excerpt
from tools.manuals import import_manual, search_manuals

PAGES = [
    "Contents of this manual for the Golf with petrol engine",
    "Cylinder head\nTightening torque of the cylinder head bolts:\nstage one 40 Nm, stage two 90 degrees further",
    None,
    "Cooling system\nCoolant capacity is 5.6 litres. Use only coolant that meets the standard.",
    None,
    None,
    "Z\xfcndkerzen\nDas Anzugsdrehmoment der Z\xfcndkerzen betr\xe4gt 25 Nm. Vor dem Einbau reinigen.",
]


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    return write_pdf(tmp_path / "golf.pdf", PAGES, roman=2)


def test_an_import_says_what_can_be_read_and_what_cannot(context: ToolContext, manual: Path) -> None:
    answer = import_manual(context, str(manual))
    assert (answer.pages, answer.readable, answer.unreadable) == (7, 4, [3, 5, 6])
    assert answer.title == "Golf manual"
    assert "pages 3, 5-6" in answer.say()


def test_the_same_file_is_added_once(context: ToolContext, manual: Path, tmp_path: Path) -> None:
    first = import_manual(context, str(manual))
    again = import_manual(context, str(manual.rename(tmp_path / "other name.pdf")))
    assert again.manual_id == first.manual_id
    assert again.already_there


SEARCHES = [
    ("cylinder head bolt torque", 2, "ii", "40 Nm"),
    ("torques for cylinder-head bolts", 2, "ii", "40 Nm"),
    ("coolant capacity", 4, "2", "5.6 litres"),
    ("cooolant capcity", 4, "2", "5.6 litres"),
    ("Zündkerze Anzugsdrehmoment", 7, "5", "25 Nm"),
    ("ZUENDKERZEN", 7, "5", "25 Nm"),
]


@pytest.mark.parametrize(("query", "page", "printed", "told"), SEARCHES)
def test_a_passage_is_found_and_cited_by_its_true_page(
    query: str, page: int, printed: str, told: str, context: ToolContext, manual: Path
) -> None:
    import_manual(context, str(manual))
    found = search_manuals(context, query)
    best = found.hits[0]
    assert (best.page, best.printed) == (page, printed)
    assert told in best.excerpt
    assert f"golf.pdf [{best.manual_id}], page {page} (printed {printed})" in found.say()


def test_what_was_corrected_and_what_stands_nowhere_is_said(context: ToolContext, manual: Path) -> None:
    import_manual(context, str(manual))
    found = search_manuals(context, "cooolant xylophone")
    assert found.corrected == {"cooolant": "coolant"}
    assert found.unknown == ["xylophon"]
    assert search_manuals(context, "xylophone").hits == []


def test_a_search_without_manuals_says_how_to_add_one(context: ToolContext) -> None:
    assert "import_manual" in search_manuals(context, "torque").say()


def test_a_search_can_keep_to_one_manual(context: ToolContext, manual: Path, tmp_path: Path) -> None:
    import_manual(context, str(manual))
    other = import_manual(
        context, str(write_pdf(tmp_path / "polo.pdf", ["Coolant capacity of the Polo: 4.9 l."]))
    )
    assert {hit.name for hit in search_manuals(context, "coolant").hits} == {"golf.pdf", "polo.pdf"}
    only = search_manuals(context, "coolant", manual_id=other.manual_id)
    assert [hit.name for hit in only.hits] == ["polo.pdf"]
    with pytest.raises(ToolError) as refused:
        search_manuals.run(context, {"query": "coolant", "manual_id": "man_none"})
    assert refused.value.code == "not_found"


def test_a_manual_that_cannot_be_read_is_refused_and_nothing_is_kept(
    context: ToolContext, manual: Path, tmp_path: Path
) -> None:
    scanned = write_pdf(tmp_path / "scan.pdf", [None, None])
    text = tmp_path / "text.pdf"
    text.write_text("no pdf at all")
    cut = tmp_path / "cut.pdf"
    cut.write_bytes(manual.read_bytes()[:300])
    wanted = {scanned: "bad_arguments", text: "bad_arguments", cut: "bad_arguments"}
    for path, code in {**wanted, tmp_path / "none.pdf": "not_found", tmp_path: "not_found"}.items():
        with pytest.raises(ToolError) as refused:
            import_manual.run(context, {"path": str(path)})
        assert refused.value.code == code, path
        assert refused.value.hint
    assert context.store.manuals.list().total == 0


def test_a_locked_manual_is_refused(context: ToolContext, manual: Path, tmp_path: Path) -> None:
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=manual)
    writer.encrypt("secret", algorithm="RC4-128")
    locked = tmp_path / "locked.pdf"
    writer.write(locked)
    with pytest.raises(ToolError) as refused:
        import_manual.run(context, {"path": str(locked)})
    assert refused.value.code == "unsupported"
    assert "password" in refused.value.message


def test_an_import_can_be_cancelled(context: ToolContext, manual: Path) -> None:
    context.cancelled.set()
    with pytest.raises(ToolError, match="cancelled"):
        import_manual.run(context, {"path": str(manual)})
    assert context.store.manuals.list().total == 0


@pytest.mark.parametrize("kind", ["circle", "deep", "doubling"])
def test_a_manual_whose_pages_have_no_end_is_refused(kind: str, context: ToolContext, tmp_path: Path) -> None:
    with pytest.raises(ToolError) as refused:
        import_manual.run(context, {"path": str(write_endless_pdf(tmp_path / f"{kind}.pdf", kind))})
    assert refused.value.code == "bad_arguments"
    assert f"{kind}.pdf is damaged" in refused.value.message
    assert context.store.manuals.list().total == 0


def test_a_page_that_unpacks_to_far_more_than_a_page_is_left_out(
    context: ToolContext, tmp_path: Path
) -> None:
    packed = write_packed_page(tmp_path / "bomb.pdf", b" " * 200_000_000)
    answer = import_manual(context, str(packed))
    assert (answer.pages, answer.unreadable) == (3, [2])


BUSY = b"BT /F1 12 Tf " + b"(a) Tj 1 0 0 1 5 5 Tm " * 1_000_000 + b" ET"


def test_a_page_that_keeps_the_reader_busy_is_left_out_and_the_next_is_read(
    context: ToolContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_process, "PAGE_S", 3.0)
    answer = import_manual(context, str(write_packed_page(tmp_path / "busy.pdf", BUSY)))
    assert (answer.pages, answer.unreadable) == (3, [2])
    assert [hit.page for hit in search_manuals(context, "words that can be read").hits] == [1, 3]


def test_a_manual_of_busy_pages_is_given_up(
    context: ToolContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_process, "PAGE_S", 1.0)
    monkeypatch.setattr(pdf_pages, "MOST_STUCK", 1)
    with pytest.raises(ToolError) as refused:
        import_manual.run(context, {"path": str(write_packed_page(tmp_path / "busy.pdf", BUSY))})
    assert refused.value.code == "timeout"
    assert "needs more than 1 s" in refused.value.message
    assert context.store.manuals.list().total == 0


def test_an_import_is_cancelled_while_a_page_keeps_the_reader_busy(
    workshop: Workshop, tmp_path: Path
) -> None:
    cancelled = Event()
    context = ToolContext(workshop, progress=lambda *_: cancelled.set(), cancelled=cancelled)
    with pytest.raises(ToolError, match="cancelled"):
        import_manual.run(context, {"path": str(write_packed_page(tmp_path / "busy.pdf", BUSY))})


def test_a_reader_without_enough_memory_breaks_down_alone(
    context: ToolContext, manual: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux bounds a process's memory")
    monkeypatch.setattr(pdf_process, "MEMORY_BYTES", 40_000_000)
    with pytest.raises(ToolError) as refused:
        import_manual.run(context, {"path": str(manual)})
    assert refused.value.code in ("timeout", "too_large")
    assert refused.value.hint


def test_the_reader_of_manuals_gets_no_keys(manual: Path, context: ToolContext, tmp_path: Path) -> None:
    with pdf_process.PdfProcess(context, manual, 1) as reader:
        assert next(reader.lines())["pages"] == 7
        environment = Path(f"/proc/{reader.pid}/environ")
        if environment.exists():
            assert environment.read_bytes() == b""


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_index_ranks_the_same_on_every_database(backend: str, tmp_path: Path) -> None:
    pages = [ManualPage(n, None, f"page {n} torque " + "torque " * n + "filler " * 20) for n in range(1, 6)]
    pages.append(ManualPage(6, "vi", "torque wrench"))
    with database(backend, tmp_path) as address, open_store(address) as store:
        store.manuals.add("one.pdf", None, "d1", 8, pages)
        found = store.manuals.search("torque wrench", limit=3)
    assert [hit.page for hit in found.hits] == [6, 5, 4]
    assert found.total == 6
    assert found.hits[0].manual.unreadable == [7, 8]


def test_an_excerpt_shows_the_place_with_most_of_the_words() -> None:
    text = "torque here. " + "filler " * 200 + "the torque of the head bolts is 40 Nm. " + "more " * 200
    cut = excerpt(text, {"torqu", "head", "bolt"})
    assert "40 Nm" in cut
    assert len(cut) < 420
