//! The backtest host: `backtest.run` trades a strategy over stored bars and keeps the books.
