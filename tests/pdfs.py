"""Small PDFs for tests, written byte by byte: pages with text, and pages with nothing but a drawing."""

from collections.abc import Sequence
from pathlib import Path
from zlib import compress

_HELVETICA = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def write_pdf(path: Path, pages: Sequence[str | None], *, roman: int = 0, title: str = "Golf manual") -> Path:
    """Write one page per text; None is a page without text; the first `roman` pages are printed i, ii, iii."""
    objects = [""] * 4
    kids = []
    for text in pages:
        stream = _drawing() if text is None else _text(text)
        number = len(objects) + 1
        kids.append(f"{number} 0 R")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {number + 1} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    labels = f"/PageLabels << /Nums [0 << /S /r >> {roman} << /S /D >>] >>" if roman else ""
    objects[0] = f"<< /Type /Catalog /Pages 2 0 R {labels} >>"
    objects[1] = f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(kids)}] >>"
    objects[2] = _HELVETICA
    objects[3] = f"<< /Title ({title}) >>"
    path.write_bytes(_assembled(objects))
    return path


def _text(text: str) -> str:
    lines = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in text.split("\n")]
    return "BT /F1 12 Tf 50 780 Td 14 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"


def _drawing() -> str:
    return "10 10 500 700 re S"


def _assembled(objects: Sequence[str], encoding: str = "cp1252") -> bytes:
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode(encoding)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    tail = (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R /Info 4 0 R >>\n"
    )
    return out + f"{tail}startxref\n{len(out)}\n%%EOF\n".encode()


def write_objects(path: Path, *bodies: str) -> Path:
    """Write a PDF of these objects: the first is the catalogue, the fourth what is said about the file."""
    path.write_bytes(_assembled(bodies))
    return path


def write_endless_pdf(path: Path, kind: str) -> Path:
    """Write a PDF whose page tree has no end: in a circle, nested too deep, or doubling at every level."""
    kids = {
        "circle": {2: "5 0 R", 5: "2 0 R"},
        "deep": {2: "5 0 R"} | {n: f"{n + 1} 0 R" for n in range(5, 30_000)},
        "doubling": {2: "5 0 R 5 0 R"}
        | {n: f"{n + 1} 0 R {n + 1} 0 R" for n in range(5, 45)}
        | {45: "3 0 R"},
    }[kind]
    nodes = [f"<< /Type /Pages /Count 9 /Kids [{kids[number]}] >>" for number in sorted(kids)]
    page = "<< /Type /Page /MediaBox [0 0 595 842] >>"
    return write_objects(
        path, "<< /Type /Catalog /Pages 2 0 R >>", nodes[0], page, "<< /Title (Harmless) >>", *nodes[1:]
    )


def write_packed_page(
    path: Path, content: bytes, *, before: str = "A page with words that can be read"
) -> Path:
    """Write a readable page, and one whose content was packed: a few kB that unpack to `content`."""
    packed = compress(content, 9).decode("latin-1")
    font = "/Resources << /Font << /F1 3 0 R >> >>"
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] " + font + " /Contents {} 0 R >>"
    plain = _text(before)
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Count 3 /Kids [5 0 R 6 0 R 9 0 R] >>",
        _HELVETICA,
        "<< /Title (Packed) >>",
        page.replace("{}", "7"),
        page.replace("{}", "8"),
        f"<< /Length {len(plain)} >>\nstream\n{plain}\nendstream",
        f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n{packed}\nendstream",
        page.replace("{}", "7"),
    ]
    path.write_bytes(_assembled(bodies, "latin-1"))
    return path
