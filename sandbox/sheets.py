"""A submitted file as a spreadsheet: as Excel with Norwegian settings saves it as CSV, and as a workbook of one sheet."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date
from xml.sax.saxutils import escape

from sandbox.batch import Batch
from sandbox.rows import Row
from sandbox.submissions import invoices

_FIRST_DAY = date(1899, 12, 30)  # the day 0 of a workbook
_DATES = ("invoiceDate", "dueDate", "collectionNoticeDate")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{_DOCUMENT}/styles" Target="styles.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}">'
    '<sheets><sheet name="Invoices" sheetId="1" r:id="r1"/></sheets></workbook>',
    # Style 1 is a date, 2 has two decimals.
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="4" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


def as_csv(batch: Batch) -> bytes:
    """Semicolons, a decimal comma, dates and truth in Norwegian, and the mark by which Excel knows UTF-8."""
    text = io.StringIO()
    rows = invoices(batch)
    first = next(rows)
    writer = csv.writer(text, delimiter=";")
    writer.writerow(first)
    writer.writerow(_norwegian(first))
    writer.writerows(map(_norwegian, rows))
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(batch: Batch) -> bytes:
    """A workbook with real dates, numbers and truth values; what looks like a number and is none is text."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, content in _PARTS.items():
            package.writestr(name, _HEAD + content)
        with package.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.writelines(piece.encode() for piece in _sheet(batch))
    return file.getvalue()


def _norwegian(invoice: Row) -> list[str]:
    return [_norwegian_cell(name, value) for name, value in invoice.items()]


def _norwegian_cell(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "SANN" if value else "USANN"
        case float():
            return f"{value:.2f}".replace(".", ",")
        case str() if name in _DATES:
            return f"{date.fromisoformat(value):%d.%m.%Y}"
    return str(value)


def _sheet(batch: Batch) -> Iterator[str]:
    rows = invoices(batch)
    first = next(rows)
    yield f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'
    yield f"<row>{''.join(_text(name) for name in first)}</row>"
    yield _line(first)
    yield from map(_line, rows)
    yield "</sheetData></worksheet>"


def _line(invoice: Row) -> str:
    return f"<row>{''.join(_cell(name, value) for name, value in invoice.items())}</row>"


def _cell(name: str, value: object) -> str:
    match value:
        case None:
            return "<c/>"
        case bool():
            return f'<c t="b"><v>{value:d}</v></c>'
        case float():
            return f'<c s="2"><v>{value}</v></c>'
        case str() if name in _DATES:
            return f'<c s="1"><v>{(date.fromisoformat(value) - _FIRST_DAY).days}</v></c>'
    return _text(str(value))


def _text(text: str) -> str:
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
