"""Holds our tables against openpyxl and Python's csv, which know nothing of us.

tables.py check FILE.xlsx FILE.csv   looks at what we wrote
tables.py make FILE.xlsx             writes what we are to read
"""

import csv
import datetime
import sys
from decimal import Decimal

import openpyxl
from openpyxl.styles import numbers
from openpyxl.utils.datetime import CALENDAR_MAC_1904

HEADER = ["订单号", "Net", "Fee ratio", "Quantity", "Day", "Effective"]
DAY = datetime.datetime(2024, 3, 1)
TIME = datetime.datetime(2024, 3, 1, 12, 34, 56)


def same(found, expected):
    if found != expected:
        sys.exit(f"found {found!r}, expected {expected!r}")


def check(workbook, text):
    sheet = openpyxl.load_workbook(workbook)["结算 2024-03"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    same(rows[0], HEADER)
    same(rows[1], ["=1+1", 12.5, 0.15, 3, DAY, TIME])
    same(rows[2], ["a & <b>\n_x0041", -1234567.89, None, None, None, None])
    same(rows[3], ["Total", "=SUM(B2:B3)", None, "=SUM(D2:D3)", None, None])
    same([cell.data_type for cell in sheet[2]], ["s", "n", "n", "n", "d", "d"])
    same([cell.data_type for cell in sheet[4]][:2], ["s", "f"])
    same([cell.number_format for cell in sheet[2]][1:3], ["#,##0.00", "0.00##%"])
    same(sheet["A2"].quotePrefix, True)
    same((sheet.freeze_panes, sheet.auto_filter.ref), ("A2", "A1:F3"))
    same(sheet.column_dimensions["A"].width, 24)
    same(sheet["A1"].font.b, True)
    same(openpyxl.load_workbook(workbook).properties.created, datetime.datetime(2024, 3, 1, 12))
    results = openpyxl.load_workbook(workbook, data_only=True).active
    same((results["B4"].value, results["D4"].value), (-1234555.39, 3))

    with open(text, encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    same(lines[0], HEADER)
    same(lines[1], ["'=1+1", "12.50", "0.15", "3", "2024-03-01", "2024-03-01 12:34:56"])
    same(lines[2], ["a & <b>\n_x0041", "-1234567.89", "", "", "", ""])
    same(len(lines), 3)


def make(workbook):
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.title = "Cover"
    sheet = book.create_sheet("账单")
    sheet.append(["Bill of March"])
    sheet.merge_cells("A1:F1")
    sheet.append([])
    sheet.append(HEADER)
    sheet.append(["CS1", Decimal("1234567890123.45"), 0.1 + 0.2, 3, DAY.date(), TIME])
    sheet.append([" a & <b>\n", -0.07, True, None, None, datetime.time(12, 30)])
    sheet["E4"].number_format = numbers.FORMAT_DATE_YYYYMMDD2
    book.save(workbook)


if __name__ == "__main__":
    {"check": check, "make": make}[sys.argv[1]](*sys.argv[2:])
    print("as it should be")
