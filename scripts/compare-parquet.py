#!/usr/bin/env python3
"""Compares the Parquet files that a load wrote with its source, using pyarrow instead of our own reader.

    pip install pyarrow && scripts/compare-parquet.py FOLDER_OF_SEGMENTS FILE.csv

The Parquet files must contain exactly the rows of the CSV, in order, with equal values.
"""
import csv
import glob
import sys
from datetime import datetime, timezone

import pyarrow.parquet as pq

folder, source = sys.argv[1], sys.argv[2]
stored = []
for path in sorted(glob.glob(f"{folder}/*.parquet")):
    table = pq.read_table(path)
    columns = [table.column(name).to_pylist() for name in ("time", "open", "high", "low", "close", "volume")]
    stored.extend(zip(*columns))

with open(source, newline="") as file:
    rows = csv.reader(file)
    next(rows)
    expected = [(datetime.fromisoformat(r[0]).astimezone(timezone.utc), *map(float, r[1:6])) for r in rows]

if len(stored) != len(expected):
    sys.exit(f"the Parquet files have {len(stored)} rows, {source} has {len(expected)}")
for line, (got, wanted) in enumerate(zip(stored, expected), start=2):
    if (got[0], *got[1:]) != wanted:
        sys.exit(f"line {line} of {source}: stored {got}, expected {wanted}")
print(f"{len(stored)} rows are equal, {stored[0][0]} to {stored[-1][0]}")
