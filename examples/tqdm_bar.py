"""A loop with a tqdm bar that Signalbox reads as progress, and its postfix as a series. Requires `pip install tqdm`."""
import argparse
import time

from tqdm import tqdm

args = argparse.ArgumentParser()
args.add_argument("--batches", type=int, default=200)
args.add_argument("--pause", type=float, default=0.01, help="pause after each batch, in seconds")
args = args.parse_args()

print("starting")
with tqdm(range(1, args.batches + 1), desc="Batches", unit="batch") as bar:
    for batch in bar:
        time.sleep(args.pause)
        bar.set_postfix(loss=1 / batch)
print("done")
