"""What may leave a run as a file: looked into, not believed; and scratch folders go away however they are built."""

import base64
import hashlib
import io
import os
import resource
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sandbox import scratch
from sandbox.collect import MOST, collect
from sandbox.content import sort
from sandbox.drawing import refusal
from sandbox.pictures import NotHandedOnError
from sandbox.spreadsheet import harmless

LIMIT = 1 << 20


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def array(values: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def picture(kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (4, 4)).save(stream, kind, **options)
    return stream.getvalue()


def png(width: int = 2, height: int = 2, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\0\0" * 2)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


SVG = b'<svg xmlns="http://www.w3.org/2000/svg">%s</svg>'


@pytest.mark.parametrize(
    ("name", "data", "mime"),
    [
        ("a.png", png(), "image/png"),
        ("a.svg", SVG % b'<path d="M0 0"/>', "image/svg+xml"),
        ("a.csv", "a,b\n1,2 °C\n".encode(), "text/csv"),
        ("a.txt", b"plain", "text/plain"),
        ("a.json", b'{"a": 1}', "application/json"),
        ("a.html", b"<!DOCTYPE html><html></html>", "text/html"),
        ("a.parquet", b"PAR1....\x15\x04\2\0\0\0PAR1", "application/vnd.apache.parquet"),
        ("a.feather", b"ARROW1\0\0footer\6\0\0\0ARROW1", "application/vnd.apache.arrow.file"),
        ("a.npy", array(np.arange(6.0).reshape(2, 3)), "application/octet-stream"),
        ("a.npy", array(np.array(["a", "b"])), "application/octet-stream"),
        ("a.jpg", picture("JPEG"), "image/jpeg"),
        ("a.gif", picture("GIF"), "image/gif"),
        ("a.pdf", b"%PDF-1.4\n/Type /Font /Name /F#2D1\n%%EOF\n", "application/pdf"),
        ("a.yaml", b"a: 1", "application/yaml"),
        ("a.md", b"# <5 km/h> is slow", "text/markdown"),
        ("A.MD", b"# Title", "text/markdown"),
    ],
)
def test_files_that_are_what_they_say_are_handed_on(name: str, data: bytes, mime: str) -> None:
    assert sort(name, data).mime == mime


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.png", b"GIF89a", "no PNG"),
        ("a.png", png() + b"<script>", "something else behind it"),
        ("a.png", png(60_000, 60_000), "60000 x 60000"),
        ("a.png", png(0, 5), "0 x 5"),
        ("a.png", png()[:-4], "without a picture"),
        ("a.png", png()[:-12], "without a picture"),
        ("a.png", png().replace(b"IDAT", b"IDAX"), "damaged"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "no JPEG"),
        ("a.jpg", picture("JPEG") + b"<script>\xff\xd9", "something else behind it"),
        ("a.jpg", picture("JPEG", comment=b"<script>x</script>"), "markup inside"),
        ("a.jpg", b"\xff\xd8\xff\xd9", "without a picture|damaged"),
        ("a.gif", picture("GIF") + b"=1;alert(1);", "something else behind it"),
        ("a.gif", picture("GIF")[:-5], "damaged"),
        ("a.gif", b"GIF89a\1\0\1\0\0\0\0,\0\0\0\0`\xea`\xea\0\2\0;", "60000 x 60000"),
        ("a.gif", picture("GIF", comment=b"<script>x</script>"), "markup inside"),
        ("a.png", png(extra=chunk(b"zTXt", b"x")), "part of kind"),
        ("a.png", png(extra=chunk(b"tEXt", b"a\0<script>")), "markup inside"),
        ("a.png", png(extra=chunk(b"IDAT", bytes(100_000))), "more data than its picture"),
        ("a.npy", array(np.zeros(3)) + b"x", "another size"),
        ("a.npy", array(np.zeros(3)).replace(b"(3,)", b"(9,)"), "another size"),
        ("a.npy", array(np.zeros(3)).replace(b"'<f8'", b"'|O' "), "pickle runs code"),
        (
            "a.npy",
            array(np.zeros(3)).replace(b"'<f8', 'fortran_order'", rb"'\x4f','fortran_order'"),
            "pickle runs code",
        ),
        ("a.npy", b"\x93NUMPY\1\0\xff\xff" + b"(" * 65535, "no numpy array"),
        ("a.pdf", b"%PDF-1.4 <</S/JavaScript/JS%\n(x)>>\n%%EOF", "scripts"),
        ("a.pdf", b"%PDF-1.4 << /S /J#61vaScript >>\n%%EOF", "scripts"),
        ("a.pdf", b"%PDF-1.4\n%%EOF<html>", "something else behind it"),
        ("a.feather", b"ARROW1\0\0<script>ARROW1", "no ARROW1 file"),
        ("a.db", b"SQLite format 3\0" + bytes(600), "no SQLite"),
        ("a.mat", b"MATLAB 5.0 MAT-file" + bytes(600), "no MATLAB"),
        ("a.txt", b"<!-- x --><script>", "markup"),
        ("a.csv", b"<img src=x onerror=y>", "markup"),
        ("a.yaml", b"a: !!python/object/apply:os.system [x]", "runs code"),
        ("a.json", b"[" + b" " * (5 << 20) + b"x", "no JSON"),
        ("a.csv", b"<html>", "markup"),
        ("a.csv", b"\xef\xbb\xbf  <!doctype html>", "markup"),
        ("a.txt", b"MZ\0", "zero bytes"),
        ("a.txt", b"\xff\xfe", "UTF-8"),
        ("a.json", b"alert(1)", "no JSON"),
        ("a.json", b"[" * 100_000, "no JSON"),
        ("a.html", b"plain", "no HTML"),
        ("a.pdf", b"%PDF-1.4 << /OpenAction << /S /JavaScript /JS (x) >> >>", "scripts"),
        ("a.pdf", b"MZ", "no PDF"),
        ("a.parquet", b"PAR1 and then nothing", "no PAR1 file"),
        ("a.pkl", b"\x80\x04N.", "pickle runs code"),
        ("a.zip", b"PK", "archives"),
        ("a.py", b"x = 1", "programs"),
        ("noend", b"x", "not handed on"),
        ("a.exe", b"MZ", "programs"),
    ],
)
def test_files_that_lie_or_act_are_left_out_with_the_reason(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(NotHandedOnError, match=reason):
        sort(name, data)


@pytest.mark.parametrize(
    "inside",
    [
        b"<script>x</script>",
        b"<foreignObject/>",
        b'<path onclick="x"/>',
        b'<image href="http://x/y.png"/>',
        b'<use href="other.svg#a"/>',
        b'<a href="#x"/>',
        b"<style>@import 'x'</style>",
        b"<style>a{b:url(http://x)}</style>",
        b'<path style="fill:url(http://x#y)"/>',
        b'<set attributeName="href"/>',
        b'<animate attributeName="x"/>',
        b'<path fill=" java\nscript:x"/>',
        b'<image href="data:image/svg+xml;base64,PHN2Zz4="/>',
        b"<iframe/>",
        b"<style>a{b:u\\72l(http://x)}</style>",
        b'<path filter="url(http://x)"/>',
        b'<style><g/>@import "http://x";</style>',
        b"<style>@font-face{src:local(x)}</style>",
        b"<style>svg{background:image-set('http://x' 1x)}</style>",
        b'<path style="fill:u\\72l(http://x)"/>',
        b'<path fill="u\\72l(http://x)"/>',
        b'<g xml:base="http://x/"/>',
        b'<g id="a"><path id="b"/></g><g id="c"><use href="#a"/></g><use href="#c"/>',
        b'<image href="data:image/png;base64,' + base64.b64encode(png(60_000, 60_000)) + b'"/>',
        b'<image href="data:image/png;base64,iVBO"/>',
        b'<style xmlns="http://www.w3.org/1999/xhtml">@import "http://x"</style>',
    ],
)
def test_a_drawing_that_runs_or_fetches_something_is_left_out(inside: bytes) -> None:
    assert refusal(SVG % inside)


def test_a_drawing_as_matplotlib_makes_it_is_handed_on() -> None:
    picture = (
        b'<?xml version="1.0" encoding="utf-8" standalone="no"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
        b'"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
        + SVG
        % (
            b'<defs><style type="text/css">*{stroke-linejoin: round}</style></defs><g clip-path="url(#p1)">'
            b'<use href="#m1" style="fill: url(#h1)"/><image href="data:image/png;base64,'
            + base64.b64encode(png())
            + b'"/></g>'
        )
    )
    assert refusal(picture) == ""


def test_entities_and_other_encodings_of_a_drawing_are_refused() -> None:
    assert refusal(b'<!DOCTYPE svg [<!ENTITY x "y">]>' + SVG % b"")
    assert refusal((SVG % b"<script/>").decode().encode("utf-16"))
    assert refusal(b"<html/>")
    assert refusal(b'<?xml version="1.0" ' + b" " * 900 + b'encoding="utf-7"?>' + SVG % b"")
    assert refusal(b'<!DOCTYPE svg SYSTEM "http://x/x.dtd">' + SVG % b"")
    assert refusal(b'<!DOCTYPE svg SYSTEM ">" [<!ATTLIST path x CDATA "y">]>' + SVG % b"")
    assert refusal(SVG.replace(b"<svg", b"<svg style='background:url(//x)'") % b"")
    assert refusal(b"<svg/>")
    assert refusal(b'<?xml version="1.0" encoding="utf-7"?>' + SVG % b"")
    assert refusal(SVG % b'<x:script xmlns:x="http://www.w3.org/2000/svg"/>')
    assert refusal(b'<?xml-stylesheet href="x"?>' + SVG % b"")
    assert refusal(SVG % (b" " * (17 << 20)))


def test_files_made_to_be_slow_or_large_to_inspect_are_decided_quickly() -> None:
    started = time.perf_counter()
    many = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", png()[16:29]) + chunk(b"tEXt", b"") * 2_000_000
    for name, data in (("a.png", many), ("a.jpg", b"\xff\xd8\xff" + bytes(20_000_000) + b"\xff\xd9")):
        with pytest.raises(NotHandedOnError):
            sort(name, data)
    sort("a.json", b"[" + b"[]," * 6_000_000 + b"[]]")
    assert refusal(SVG % (b"<g/>" * 1_500_000)) == ""
    assert time.perf_counter() - started < 10


def test_links_pipes_second_names_and_hidden_files_are_not_collected(tmp_path: Path) -> None:
    work, target = tmp_path / "work", tmp_path / "target"
    work.mkdir()
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    (work / "link.txt").symlink_to(secret)
    (work / "folder").symlink_to(tmp_path)
    os.link(secret, work / "second.txt")
    os.mkfifo(work / "pipe.txt")
    (work / ".hidden.txt").write_text("x", encoding="utf-8")
    (work / "fine.txt").write_text("fine", encoding="utf-8")
    found = collect(work, target, LIMIT, {})
    assert [artifact.name for artifact in found.artifacts] == ["fine.txt"]
    assert len(found.notes) == 4
    assert "secret" not in "".join(
        path.read_text(encoding="utf-8") for path in target.rglob("*") if path.is_file()
    )


def test_depth_number_size_and_names_are_limited(tmp_path: Path) -> None:
    work = tmp_path / "work"
    deep = work / "/".join("abcdefgh")
    deep.mkdir(parents=True)
    (deep / "low.txt").write_text("x", encoding="utf-8")
    for number in range(MOST + 5):
        (work / f"f{number:03}.txt").write_text("x", encoding="utf-8")
    (work / "Line\nbreak.txt").write_text("x", encoding="utf-8")
    (work / "Large.txt").write_bytes(b"x" * (LIMIT + 1))
    found = collect(work, tmp_path / "target", LIMIT, {})
    assert len(found.artifacts) == MOST
    notes = "\n".join(found.notes)
    assert "deeper than" in notes
    assert "characters" in notes
    assert "at most 1 MB" in notes
    assert "Line?break" in notes


def test_a_workspace_hands_on_only_what_is_new(tmp_path: Path) -> None:
    work, known = tmp_path / "work", dict[str, tuple[int, int, int]]()
    work.mkdir()
    (work / "a.txt").write_text("1", encoding="utf-8")
    assert len(collect(work, tmp_path / "t", LIMIT, known).artifacts) == 1
    assert collect(work, tmp_path / "t", LIMIT, known).artifacts == []
    (work / "a.txt").write_text("12", encoding="utf-8")
    assert len(collect(work, tmp_path / "t", LIMIT, known).artifacts) == 1


def test_a_scratch_folder_goes_away_however_deep_and_closed_it_is(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    here = Path.cwd()
    os.chdir(work)
    try:
        for _ in range(1500):
            Path("d").mkdir()
            os.chdir("d")
        Path("low.txt").write_text("x", encoding="utf-8")
    finally:
        os.chdir(here)
    (work / "closed").mkdir(mode=0)
    scratch.remove(work)
    assert not work.exists()


def test_measuring_stops_at_the_limit_and_counts_sparse_files_by_what_they_take(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"f{number}").write_bytes(b"x" * 5000)
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10**9)
    usage = scratch.measure(tmp_path, 10**8, 1000)
    assert usage.entries == 51
    assert 50 * 5000 <= usage.bytes < 10**6
    assert scratch.measure(tmp_path, 10**8, 10).entries == 11


def test_folders_of_servers_that_are_gone_are_removed_and_others_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone, ours, strange = (
        tmp_path / f"{scratch._PREFIX}{name}" for name in ("999999999-x", f"{os.getpid()}-y", "z")
    )
    for folder in (gone, ours, strange):
        folder.mkdir()
    scratch._remove_leftovers()
    assert not gone.exists()
    assert ours.exists()
    assert strange.exists()


def test_files_that_hide_in_folders_nobody_can_look_into_are_noticed(tmp_path: Path) -> None:
    assert not scratch.measure(tmp_path, 100, 100).hidden
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(18):
            Path("n" * 250).mkdir()
            os.chdir("n" * 250)
        Path("low").write_bytes(b"x" * 5000)
    finally:
        os.chdir(here)
    assert scratch.measure(tmp_path, 10**6, 100).hidden
    scratch.remove(tmp_path)  # pytest's own way of clearing up cannot


def test_removing_a_deep_tree_takes_few_descriptors(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    here = Path.cwd()
    os.chdir(work)
    try:
        for _ in range(300):
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.chdir(here)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 20, before[1]))
    try:
        scratch.remove(work)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert not work.exists()


def test_files_are_handed_on_only_up_to_what_all_may_weigh_whatever_their_holes(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    for number in range(6):
        (work / f"{number}.csv").write_bytes(b"a" * LIMIT)
    found = collect(work, tmp_path / "target", LIMIT, {}, 3 * LIMIT)
    assert [artifact.name for artifact in found.artifacts] == ["0.csv", "1.csv", "2.csv"]
    assert "together" in found.notes[0]


@pytest.mark.parametrize(
    ("cell", "changed"),
    [
        ("=1+1", True),
        ("@SUM(A1)", True),
        ("+1+cmd|' /C calc'!A0", True),
        ("-2+3+cmd|' /C calc'!A0", True),
        ('"=HYPERLINK(""http://x"")"', True),
        (" =1", True),
        ("-5", False),
        ("+5", False),
        ("-5.25e-07", False),
        ("-inf", False),
        ("-1 days +23:59:58", False),
        ("- note", False),
        ("a=b", False),
        ("me@home", False),
    ],
)
@pytest.mark.parametrize("around", ["{}\n", "a,{},b\n", "a;{}", "a\t{}\t", "1\r\n{}\r\n", "\ufeff{},1"])
def test_cells_that_a_spreadsheet_would_run_get_an_apostrophe_and_others_stay(
    cell: str, changed: bool, around: str
) -> None:
    before = around.format(cell).encode()
    after, cells = harmless(before)
    assert (cells > 0) is changed
    assert (after == before) is not changed
    assert after.replace(b"'", b"") == before.replace(b"'", b"")


def test_a_changed_table_is_told_and_its_hash_is_that_of_what_is_handed_on(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "a.csv").write_text("a,b\n=1+1,2\n", encoding="utf-8")
    found = collect(work, tmp_path / "target", LIMIT, {})
    data = Path(found.artifacts[0].path).read_bytes()
    assert data == b"a,b\n'=1+1,2\n"
    assert found.artifacts[0].sha256 == hashlib.sha256(data).hexdigest()
    assert "apostrophe" in found.notes[0]


def test_a_drawing_and_pictures_as_the_library_makes_them_are_handed_on() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots(1, 2)
    axes[0].plot([1, 3, 2], "o-", label=r"$\alpha$ & ü")
    axes[0].legend()
    axes[0].set_title("Kühlmittel °C")
    axes[1].imshow(np.arange(9.0).reshape(3, 3))
    axes[1].bar([0, 1], [1, 2], hatch="//")
    axes[1].scatter([0, 1], [1, 2])
    for kind in ("svg", "png", "jpg", "pdf"):
        stream = io.BytesIO()
        figure.savefig(stream, format=kind)
        sort(f"a.{kind}", stream.getvalue())


def test_looking_for_formulas_in_a_large_table_takes_little_time() -> None:
    data = b"-1.5,2.25,-3e-05,text\n" * 1_000_000
    started = time.perf_counter()
    assert harmless(data)[1] == 0
    assert time.perf_counter() - started < 20
