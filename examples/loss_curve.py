"""Fits a straight line to noisy points by gradient descent. Reports each epoch: two series, progress, a result."""
import argparse
import random
import time

from signalbox_report import report

args = argparse.ArgumentParser()
args.add_argument("--epochs", type=int, default=20)
args.add_argument("--rate", type=float, default=0.05)
args.add_argument("--seed", type=int, default=1)
args.add_argument("--pause", type=float, default=0.0, help="pause after each epoch, in seconds")
args.add_argument("--verbose", action="store_true")
args = args.parse_args()

rng = random.Random(args.seed)
xs = [rng.uniform(-1, 1) for _ in range(400)]
points = [(x, 3 * x - 1 + rng.gauss(0, 0.2)) for x in xs]
train, test = points[:300], points[300:]
slope = offset = 0.0


def loss_on(points):
    """Mean squared error."""
    return sum((slope * x + offset - y) ** 2 for x, y in points) / len(points)


report(phase="fit", done=0, total=args.epochs, unit="epochs")
for epoch in range(1, args.epochs + 1):
    for x, y in train:
        error = slope * x + offset - y
        slope -= args.rate * error * x
        offset -= args.rate * error
    train_loss = loss_on(train)
    report(done=epoch, step=epoch, train_loss=train_loss, test_loss=loss_on(test), message=f"epoch {epoch}")
    if args.verbose:
        print(f"epoch {epoch}: y = {slope:.3f} x + {offset:.3f}, loss {train_loss:.4f}")
    time.sleep(args.pause)

report(phase="test", message="evaluating on the test points")
report(progress=1.0, result={"slope": slope, "offset": offset, "test_loss": loss_on(test)})
