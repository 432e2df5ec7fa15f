"""The parts of a workbook that are not rows: little XML, by hand.

ECMA-376: part 2 for the package, part 1, chapter 18 for the sheets.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, count
from xml.sax.saxutils import quoteattr

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_MOST_TITLE = 31
HEADER, MOMENT, DAY, TEXT, AMOUNT = 1, 2, 3, 4, 5
"""Styles of cells, by their place in `_STYLES`."""

_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="6"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


type Member = tuple[str, list[bytes]]
"""The path of a part and its content."""


def first_parts() -> Iterator[Member]:
    """The same in every workbook."""
    office = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    yield _member("_rels/.rels", f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{office}</Relationships>')
    yield _member("xl/styles.xml", _STYLES)


def last_parts(titles: Sequence[str]) -> Iterator[Member]:
    """Those of a workbook whose sheets have these titles."""
    yield _member("xl/workbook.xml", _workbook(titles))
    yield _member("xl/_rels/workbook.xml.rels", _workbook_relations(len(titles)))
    yield _member("[Content_Types].xml", _content_types(len(titles)))


def _member(path: str, xml: str) -> Member:
    return path, [xml.encode()]


def title_for(wished: str, taken: Sequence[str] = ()) -> str:
    """A title that Excel takes: short, without its reserved characters, and no other sheet's."""
    plain = re.sub(r"[][:*?/\\\0-\x1f\ud800-\udfff\ufffe\uffff]+", " ", wished).strip(" '") or "1"
    others = {title.casefold() for title in taken}
    further = (f"{plain[: _MOST_TITLE - 1 - len(str(number))]} {number}" for number in count(2))
    return next(title for title in chain([plain[:_MOST_TITLE]], further) if title.casefold() not in others)


def sheet_path(number: int) -> str:
    return f"xl/worksheets/sheet{number}.xml"


def sheet_head(widths: Sequence[int], frozen: int = 1, style: int = 0) -> str:
    """What stands before a sheet's rows: the first of them stay in sight. The style is that of cells yet to be filled."""
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width}" style="{style}" customWidth="1"/>'
        for n, width in enumerate(widths, 1)
    )
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        f'<pane ySplit="{frozen}" topLeftCell="A{frozen + 1}" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols><sheetData>'
    )


def sheet_foot(columns: int, rows: int) -> str:
    """What stands after them: every column can be filtered by."""
    return f'</sheetData><autoFilter ref="A1:{_letters(columns)}{rows}"/></worksheet>'


def _letters(column: int) -> str:
    """1 -> A, 27 -> AA."""
    before, last = divmod(column - 1, 26)
    return (_letters(before) if before else "") + chr(ord("A") + last)


def _workbook(titles: Sequence[str]) -> str:
    sheets = "".join(
        f'<sheet name={quoteattr(title)} sheetId="{n}" r:id="rId{n}"/>' for n, title in enumerate(titles, 1)
    )
    return f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'


def _workbook_relations(sheets: int) -> str:
    worksheets = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, sheets + 1)
    )
    styles = f'<Relationship Id="rId{sheets + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{worksheets}{styles}</Relationships>'


def _content_types(sheets: int) -> str:
    parts = {"xl/workbook.xml": f"{_TYPE}.sheet.main+xml", "xl/styles.xml": f"{_TYPE}.styles+xml"}
    parts |= {sheet_path(n): f"{_TYPE}.worksheet+xml" for n in range(1, sheets + 1)}
    overrides = "".join(f'<Override PartName="/{path}" ContentType="{kind}"/>' for path, kind in parts.items())
    return (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )
