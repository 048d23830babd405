"""The candles that DATA_SOURCE and its variables name, for scripts that import them from here; run alone it prints what it loaded."""

from sptrader_desktop.sdk import load_data_from_env

__all__ = ["load_data_from_env"]

if __name__ == "__main__":
    data = load_data_from_env()
    first, last = (stamp.strftime("%Y-%m-%d %H:%M") for stamp in (data.index[0], data.index[-1]))
    print(f"{data.attrs['symbol']} {data.attrs['timeframe']}: {len(data)} candles, {first} to {last} UTC")
    print(data)
