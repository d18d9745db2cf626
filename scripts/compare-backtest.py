#!/usr/bin/env python3
"""Runs the same backtest with backtesting.py, and compares trades and equity with Signalbox.

    python3 -m venv venv && venv/bin/pip install backtesting TA-Lib
    venv/bin/python scripts/compare-backtest.py BARS.csv [name=value ...]    compare; parameters of backtest.run
    venv/bin/python scripts/compare-backtest.py --golden                     write the reference files of the tests

Compares each closed trade (side, size, times, prices, PnL) and the equity after each bar, within 1e-6.
Where both differ by design, the comparison uses rules that both support (docs/backtest.md): whole units, the only ones
of backtesting.py; no slippage, because its spread is paid on entry only; and a position after the last bar stays open,
because backtesting.py would close it at the open of that bar.
"""

import csv
import json
import math
import random
import subprocess
import sys
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import talib
from backtesting import Backtest, Strategy, __version__ as version

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "crates/hosts/backtest/tests/golden"
WITHIN = 1e-6
DEFAULTS = {
    "strategy": "sma_cross", "fast": 20, "slow": 50, "rsi_period": 14, "rsi_low": 30.0, "rsi_high": 70.0,
    "direction": "long_only", "capital": 10_000.0, "position_size": 1.0, "commission": 0.001, "fill": "next_open",
}
RUNS = {
    "sma_cross": {"strategy": "sma_cross", "fast": 10, "slow": 30, "direction": "long_short", "capital": 100_000.0},
    "rsi_reversion": {"strategy": "rsi_reversion", "rsi_period": 14, "rsi_low": 40.0, "rsi_high": 60.0,
                      "position_size": 0.5, "commission": 0.002},
}


def read_bars(path):
    bars = pd.read_csv(path, index_col=0, parse_dates=True)
    return bars.rename(columns=str.capitalize)


def stances(close, params):
    """Wanted position after each bar, from TA-Lib's indicators: 1 long, 0 flat, -1 short."""
    if params["strategy"] == "sma_cross":
        fast, slow = talib.SMA(close, params["fast"]), talib.SMA(close, params["slow"])
        # Averages that differ only by rounding are equal.
        long, short = fast > slow * (1 + 1e-12), fast < slow * (1 - 1e-12)
    elif params["strategy"] == "rsi_reversion":
        rsi = talib.RSI(close, params["rsi_period"])
        long, short = rsi < params["rsi_low"], rsi > params["rsi_high"]
    else:
        sys.exit(f"strategy {params['strategy']} is not supported by this script")
    below = -1 if params["direction"] == "long_short" else 0
    now, out = 0, []
    for is_long, is_short in zip(long, short):
        now = 1 if is_long else below if is_short else now
        out.append(now)
    return out


def theirs(bars, params):
    wanted = stances(bars["Close"].to_numpy(dtype=float), params)

    class Follow(Strategy):
        def init(self):
            pass

        def next(self):
            # A plain list, not an indicator, so that backtesting.py asks from the second bar on.
            to = wanted[len(self.data) - 1]
            size = self.position.size
            if to == (size > 0) - (size < 0):
                return
            # A size below 1 is a fraction of the equity; backtesting.py takes a size of 1 as one unit.
            share = {} if params["position_size"] == 1 else {"size": params["position_size"]}
            if to == 0:
                self.position.close()
            elif to == 1:
                self.buy(**share)
            else:
                self.sell(**share)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = Backtest(
            bars, Follow, cash=params["capital"], commission=params["commission"], exclusive_orders=True,
            trade_on_close=params["fill"] == "this_close",
        ).run()
    trades = [{
        "side": "long" if t.Size > 0 else "short",
        "size": abs(float(t.Size)),
        "entry": moment(t.EntryTime),
        "entry_price": float(t.EntryPrice),
        "exit": moment(t.ExitTime),
        "exit_price": float(t.ExitPrice),
        "pnl": float(t.PnL),
    } for t in stats["_trades"].sort_values(["ExitTime", "EntryTime"]).itertuples()]
    return trades, [float(e) for e in stats["_equity_curve"]["Equity"]]


def moment(time):
    return time.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def ours(path, params):
    args = [f"{name}={value}" for name, value in params.items()]
    command = ["cargo", "run", "--quiet", "-p", "signalbox-backtest-host", "--example", "backtest", "--",
               str(Path(path).resolve()), *args, "whole_units=true", "slippage=0", "keep_open=true"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def far(a, b):
    return abs(a - b) > WITHIN * max(abs(a), abs(b), 1.0)


def compare(path, given):
    params = {**DEFAULTS, **given}
    bars = read_bars(path)
    trades, equity = theirs(bars, params)
    mine = ours(path, params)
    if len(trades) != len(mine["trades"]):
        sys.exit(f"backtesting.py has {len(trades)} trades, Signalbox {len(mine['trades'])}")
    for n, (a, b) in enumerate(zip(trades, mine["trades"])):
        for field, value in a.items():
            if far(value, b[field]) if isinstance(value, float) else value != b[field]:
                sys.exit(f"trade {n}: {field} is {value} in backtesting.py, {b[field]} in Signalbox\n{a}\n{b}")
    # With trade_on_close, backtesting.py books a fill one bar after its close, so only the end is comparable.
    bars_compared = range(len(equity)) if params["fill"] == "next_open" else [len(equity) - 1]
    off = max(abs(equity[i] - mine["equity"][i]) / max(abs(equity[i]), 1.0) for i in bars_compared)
    if off > WITHIN:
        sys.exit(f"equity differs by {off:.3g}; final equity "
                 f"{equity[-1]} in backtesting.py, {mine['equity'][-1]} in Signalbox")
    print(f"backtesting {version} and Signalbox agree: {len(bars)} bars, {len(trades)} trades, final equity "
          f"{equity[-1]:.6f} and {mine['equity'][-1]:.6f}, equity differs by at most {off:.1e} "
          f"({mine['strategy']}, {params['direction']}, {params['fill']})")


def write_bars(path, count=2_000, seed=7):
    """Writes an hourly random walk in cents, with gaps between a close and the next open."""
    rng = random.Random(seed)
    time, close = datetime(2023, 1, 2, tzinfo=timezone.utc), 100.0
    with path.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["timestamp", "open", "high", "low", "close", "volume"])
        for n in range(count):
            drift = 0.001 * math.sin(n / 60)
            open_ = close * (1 + 0.004 * (rng.random() - 0.5))
            close = open_ * math.exp(0.02 * (rng.random() - 0.5) + drift)
            high, low = max(open_, close) * (1 + 0.004 * rng.random()), min(open_, close) * (1 - 0.004 * rng.random())
            prices = [f"{price:.2f}" for price in (open_, high, low, close)]
            out.writerow([time.strftime("%Y-%m-%dT%H:%M:%SZ"), *prices, round(1_000 * (1 + rng.random()))])
            time += timedelta(hours=1)


def golden():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    path = GOLDEN / "bars.csv"
    write_bars(path)
    bars = read_bars(path)
    for name, given in RUNS.items():
        trades, equity = theirs(bars, {**DEFAULTS, **given})
        answer = {
            "made_by": f"backtesting {version}, indicators by TA-Lib {talib.__ta_version__.decode().split()[0]}",
            "params": {"symbol": "CSV", **given, "whole_units": True},
            "final_equity": equity[-1],
            "equity_every_100": equity[::100],
            "trades": trades,
        }
        (GOLDEN / f"{name}.json").write_text(json.dumps(answer, indent=1) + "\n")
        print(f"{name}: {len(trades)} trades, final equity {equity[-1]:.2f}")


def read(value):
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--golden":
        golden()
    else:
        compare(sys.argv[1], {k: read(v) for k, v in (arg.split("=", 1) for arg in sys.argv[2:])})
