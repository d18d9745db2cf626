#!/usr/bin/env python3
"""Writes reference data for the indicators: bars, and TA-Lib's values for them.

Run it when an indicator is added. The files are committed, so the tests need no Python.
    python3 -m venv venv && venv/bin/pip install numpy pandas TA-Lib
    venv/bin/python scripts/golden-indicators.py
"""

import csv
import math
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import talib

FOLDER = Path(__file__).resolve().parent.parent / "crates/hosts/indicators/tests/golden"


def write_bars(path, count=400, seed=20):
    """Writes an hourly random walk, with prices in cents."""
    rng = random.Random(seed)
    time, close = datetime(2024, 1, 2, tzinfo=timezone.utc), 100.0
    with path.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["timestamp", "open", "high", "low", "close", "volume"])
        for _ in range(count):
            open_ = close * (1 + 0.001 * (rng.random() - 0.5))
            close = open_ * math.exp(0.02 * (rng.random() - 0.495))
            high = max(open_, close) * (1 + 0.006 * rng.random())
            low = min(open_, close) * (1 - 0.006 * rng.random())
            volume = round(50_000 * math.exp(2 * rng.random()))
            prices = [f"{price:.2f}" for price in (open_, high, low, close)]
            out.writerow([time.strftime("%Y-%m-%dT%H:%M:%SZ"), *prices, volume])
            time += timedelta(hours=1)


def expected(bars):
    high, low, close = (bars[name].to_numpy() for name in ("high", "low", "close"))
    volume = bars["volume"].astype(float)
    _, signal, histogram = talib.MACD(close, 12, 26, 9)
    # TA-Lib omits the line until the signal exists; with a signal period of 1, it omits nothing.
    line, _, _ = talib.MACD(close, 12, 26, 1)
    upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0, talib.MA_Type.SMA)
    rolling = volume.rolling(20)
    return pd.DataFrame({
        "simple_return": talib.ROCP(close, 1),
        "log_return": np.log(bars["close"] / bars["close"].shift()),
        "sma_20": talib.SMA(close, 20),
        "sma_1": close,
        "ema_20": talib.EMA(close, 20),
        "rsi_14": talib.RSI(close, 14),
        "rsi_2": talib.RSI(close, 2),
        "macd_line": line,
        "macd_signal": signal,
        "macd_histogram": histogram,
        "bb_upper": upper,
        "bb_middle": middle,
        "bb_lower": lower,
        "bb_percent_b": (close - lower) / (upper - lower),
        "bb_width": (upper - lower) / middle,
        "true_range": talib.TRANGE(high, low, close),
        "atr_14": talib.ATR(high, low, close, 14),
        "std_20": talib.STDDEV(close, 20, 1.0),
        "volume_z_20": (volume - rolling.mean()) / rolling.std(ddof=0),
    })


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_bars(FOLDER / "bars.csv")
    values = expected(pd.read_csv(FOLDER / "bars.csv"))
    with (FOLDER / "expected.csv").open("w") as file:
        file.write(f"# TA-Lib {talib.__ta_version__.decode().split()[0]} (Python package {talib.__version__}), "
                   f"pandas {pd.__version__}, numpy {np.__version__}\n")
        file.write("# simple_return .. std_20 by TA-Lib, %B and width from its bands; log_return and volume_z_20 by pandas\n")
        values.to_csv(file, index=False, float_format="%.17g", lineterminator="\n")


if __name__ == "__main__":
    main()
