"""Files as tables: encodings, delimiters, damage, workbooks, and refusals that say what to do."""

import contextlib
import io
import tracemalloc
import zipfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from app.imports.formats import FORMATS, UnreadableFile, detect
from app.imports.formats.base import FAULT, Context, RawRow
from app.imports.formats.tables import heads, sheet_lines
from app.imports.formats.text_files import delimiter_of, encoding_of

HEADINGS = "Course name,Username,Email address,Completion date"
ROW = "Safe handling,u1,zoë.ozols@care.example,16/09/2026"
TEXT = f"{HEADINGS}\r\n{ROW}\r\n"


def put(folder: Path, content: bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def rows(path: Path) -> list[RawRow]:
    return list(FORMATS["completions"].stage(path, {}))


def opendocument(sheets: dict[str, str]) -> bytes:
    tables = "".join(f'<table:table table:name="{name}">{body}</table:table>' for name, body in sheets.items())
    content = (
        '<?xml version="1.0"?><office:document-content'
        ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return buffer.getvalue()


def opendocument_row(cells: list[str], extra: str = "") -> str:
    inner = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
    return f"<table:table-row{extra}>{inner}<table:table-cell table:number-columns-repeated='16000'/></table:table-row>"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("cp1252"),
        TEXT.replace("\r\n", "\r").encode(),
        TEXT.replace("\r\n", "\n").encode(),
        TEXT.replace(",", ";").encode("cp1252"),
        TEXT.replace(",", "\t").encode("utf-16"),
        TEXT.replace(",", "|").encode(),
        ("sep=;\r\n" + TEXT.replace(",", ";")).encode(),
        ("Report of the learning system\r\n\r\nMade on 20/09/2026\r\n" + TEXT).encode(),
        TEXT.replace("u1", "u\0001").encode(),
        (TEXT + "\r\n\r\n").encode(),
        TEXT.replace(ROW, f"{ROW}\r\n{HEADINGS}").encode(),
    ],
)
def test_same_rows_from_every_encoding_and_delimiter(tmp_path: Path, content: bytes) -> None:
    (row,) = rows(put(tmp_path, content))
    assert list(row.cells.values()) == ["Safe handling", "u1", "zoë.ozols@care.example", "16/09/2026"]
    assert list(row.cells) == HEADINGS.split(",")


def test_row_numbers_are_those_of_the_spreadsheet(tmp_path: Path) -> None:
    content = f'Made by the system\n\n{HEADINGS}\n"Safe\nhandling",u1,a@b.example,16/09/2026\n\n{ROW}\n'
    assert [row.number for row in rows(put(tmp_path, content.encode()))] == [4, 6]


def test_undecodable_bytes_reject_their_row_only(tmp_path: Path) -> None:
    content = TEXT.encode() + b"Safe handling,u2,x\xff\xfe@care.example,16/09/2026\r\n" + ROW.encode() + b"\r\n"
    whole = rows(put(tmp_path, content))
    assert [FAULT in row.cells for row in whole] == [False, True, False]
    assert whole[1].cells[FAULT].startswith("UNREADABLE_CHARACTERS: ")


def test_windows_text_far_behind_the_start_is_recognised(tmp_path: Path) -> None:
    filler = "Safe handling,u,plain@care.example,16/09/2026\n" * 4000
    path = put(tmp_path, f"{HEADINGS}\n{filler}Safe handling,u,josé@care.example,16/09/2026\n".encode("cp1252"))
    assert encoding_of(path) == "cp1252"
    assert list(rows(path)[-1].cells.values())[2] == "josé@care.example"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Safe handling,u2,a@b.example,16/09/2026,more", "TOO_MANY_CELLS"),
        ("Safe handling,u2", "TOO_FEW_CELLS"),
        ('"Safe handling,u2,a@b.example,16/09/2026', "UNCLOSED_QUOTE"),
    ],
)
def test_rows_that_are_not_whole_carry_their_fault_and_spoil_no_other(tmp_path: Path, line: str, code: str) -> None:
    whole = rows(put(tmp_path, f"{TEXT}{line}\r\n{ROW}\r\n{ROW}\r\n".encode()))
    assert [row.cells.get(FAULT, "").partition(":")[0] for row in whole] == ["", code, "", ""]


def test_repeated_and_empty_headings_lose_no_cell(tmp_path: Path) -> None:
    content = "Course name,Username,,Username,Completion date\nSafe,u1,x,u2,16/09/2026\n"
    (row,) = rows(put(tmp_path, content.encode()))
    assert row.cells["Username (2)"] == "u2"
    assert row.cells["Column 3"] == "x"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "EMPTY_FILE"),
        ("a.csv", b"\xef\xbb\xbf\r\n\r\n", "EMPTY_FILE"),
        ("a.csv", HEADINGS.encode(), "NO_ROWS"),
        ("a.csv", b"just some words\nand others\n", "NO_HEADER"),
        ("a.pdf", b"%PDF-1.7 ...", "NOT_A_TABLE"),
        ("a.png", b"\x89PNG\r\n\x1a\n....", "NOT_A_TABLE"),
        ("a.csv", b"<!DOCTYPE html><html></html>", "NOT_A_TABLE"),
        ("a.csv", bytes(range(1, 9)) * 500, "NOT_A_TABLE"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "LEGACY_EXCEL"),
        (
            "a.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
            "ENCRYPTED_WORKBOOK",
        ),
        ("a.xlsx", b"PK\x03\x04damaged", "NOT_A_TABLE"),
        ("a.csv", b",".join(b"x" for _ in range(1200)), "TOO_WIDE"),
    ],
)
def test_files_that_are_no_table_are_refused_with_a_code(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    with pytest.raises(UnreadableFile) as refusal:
        rows(put(tmp_path, content, name))
    assert refusal.value.code == code
    assert refusal.value.message.endswith((".", "?"))


def test_other_archives_are_refused(tmp_path: Path) -> None:
    for inside in ("notes.txt", "export.csv"):
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(inside, "x")
        with pytest.raises(UnreadableFile) as refusal:
            detect(path, "a.zip")
        assert refusal.value.code == "NOT_A_TABLE"


def test_workbook_with_a_cover_sheet(tmp_path: Path) -> None:
    book = Workbook()
    book.create_sheet("README", 0).append(["About this file"])
    sheet = book.create_sheet("Completions")
    sheet.append(["Report"])
    sheet.append([])
    sheet.append(HEADINGS.split(","))
    sheet.append(["Safe handling", 123, "a@b.example", 46281])
    book.save(tmp_path / "a.xlsx")
    (row,) = rows(tmp_path / "a.xlsx")
    assert row.number == 4
    assert list(row.cells.values()) == ["Safe handling", "123", "a@b.example", "46281"]


def test_opendocument_repeats_notes_and_typed_cells(tmp_path: Path) -> None:
    typed = (
        "<table:table-row><table:table-cell table:number-columns-repeated='2'><office:annotation><text:p>note</text:p>"
        "</office:annotation><text:p>same</text:p></table:table-cell><table:table-cell><text:p>a@b</text:p>"
        "<text:p>.example</text:p></table:table-cell><table:table-cell office:value-type='date'"
        " office:date-value='2026-09-16'><text:p>16 Sept</text:p></table:table-cell></table:table-row>"
    )
    path = put(
        tmp_path,
        opendocument(
            {
                "README": opendocument_row(["Read me"]),
                "Data": opendocument_row(HEADINGS.split(","))
                + "<table:table-row table:number-rows-repeated='3'><table:table-cell/></table:table-row>"
                + typed
                + opendocument_row(["Safe", "u9", "c@d.example", "16/09/2026"], " table:number-rows-repeated='2'")
                + "<table:table-row table:number-rows-repeated='1048000'><table:table-cell/></table:table-row>",
            }
        ),
        "a.ods",
    )
    found = rows(path)
    assert [row.number for row in found] == [5, 6, 7]
    assert list(found[0].cells.values()) == ["same", "same", "a@b\n.example", "2026-09-16"]


def test_opendocument_with_absurd_repeats_is_refused(tmp_path: Path) -> None:
    absurd = opendocument_row(HEADINGS.split(",")) + opendocument_row(
        ["Safe", "u9", "c@d.example", "16/09/2026"], " table:number-rows-repeated='999999999'"
    )
    with pytest.raises(UnreadableFile) as refusal:
        rows(put(tmp_path, opendocument({"Data": absurd}), "a.ods"))
    assert refusal.value.code == "TOO_LONG"


def test_opendocument_entities_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>')
    with pytest.raises(UnreadableFile) as refusal:
        rows(path)
    assert refusal.value.code == "NOT_A_TABLE"


@pytest.mark.parametrize("kind", ["csv", "ods"])
def test_memory_stays_flat_over_a_long_file(tmp_path: Path, kind: str) -> None:
    cells = ["Safe handling of medicines", "user", "person@care.example", "16/09/2026", "x" * 200]
    header = [*HEADINGS.split(","), "Comment"]
    rows_made = 50_000 if kind == "csv" else 12_000
    if kind == "csv":
        path = put(tmp_path, (",".join(header) + "\n" + (",".join(cells) + "\n") * rows_made).encode())
    else:
        path = put(
            tmp_path, opendocument({"Data": opendocument_row(header) + opendocument_row(cells) * rows_made}), "long.ods"
        )
    tracemalloc.start()
    count = sum(1 for _ in FORMATS["completions"].stage(path, {}))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == rows_made
    assert peak < 4_000_000


def test_the_delimiter_is_found_outside_quotes() -> None:
    assert delimiter_of('a;b;c\n"x, y, z, w";"1,5, 2";3\n') == ";"
    assert delimiter_of("plain text") == ","


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    content=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
)
def test_any_bytes_give_lines_or_a_coded_refusal(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path, content)
    with contextlib.suppress(UnreadableFile):
        for _, line in sheet_lines(path):
            assert any(line.cells)
        list(heads(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(content=st.binary(max_size=400))
def test_any_rows_under_headings_are_parsed_or_rejected(tmp_path: Path, content: bytes) -> None:
    form = FORMATS["completions"]
    with contextlib.suppress(UnreadableFile):
        for raw in form.stage(put(tmp_path, TEXT.encode() + content), {}):
            form.parse(raw, Context(date(2026, 11, 24)))
