"""What may leave a run as a file: looked into, not believed; and scratch folders go away however they are built."""

import os
import struct
import time
import zlib
from pathlib import Path

import pytest

from sandbox import scratch
from sandbox.collect import MOST, collect
from sandbox.content import NotHandedOnError, sort
from sandbox.drawing import refusal

LIMIT = 1 << 20


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int = 2, height: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    picture = zlib.compress(b"\0\0\0" * 2)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", picture) + chunk(b"IEND", b"")


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
        ("a.parquet", b"PAR1....PAR1", "application/vnd.apache.parquet"),
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
        ("a.png", png().replace(b"IDAT", b"IDAX"), "damaged"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "no JPEG"),
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
            b'<use href="#m1" style="fill: url(#h1)"/><image href="data:image/png;base64,iVBO"/></g>'
        )
    )
    assert refusal(picture) == ""


def test_entities_and_other_encodings_of_a_drawing_are_refused() -> None:
    assert refusal(b'<!DOCTYPE svg [<!ENTITY x "y">]>' + SVG % b"")
    assert refusal((SVG % b"<script/>").decode().encode("utf-16"))
    assert refusal(b"<html/>")
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
