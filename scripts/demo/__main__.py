"""The main job on drawn shapes: make data, train, serve, ask, score, look.

    make demo

Needs no network and no data. Everything lands in build/demo; the exit code is 0 only if the model
has really learned.
"""

import io
import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from scripts.demo.dataset import write_dataset
from scripts.demo.scores import iou_per_class
from scripts.demo.shapes import CLASSES
from scripts.demo.sheet import Row, draw_sheet
from scripts.local.endpoint import Endpoint, EndpointFailed
from scripts.local.training import TrainingFailed, train
from scripts.local.tree import prepare

CONFIGS = Path("configs/demo")
PLACE = Path("build/demo")
VALIDATION_IMAGES = 24
ENOUGH = 0.7
ROWS = 6


def main() -> int:
    """Runs the demo; returns the exit code."""
    started = time.monotonic()
    base = (PLACE / "opt-ml").resolve()
    held_out = PLACE / "held-out"
    hyperparameters = json.loads((CONFIGS / "hyperparameters.json").read_text())

    training_images = int(hyperparameters["num_training_samples"])
    print(f"Drawing {training_images} pictures to learn from, and others to be asked about")
    prepare(base, CONFIGS / "hyperparameters.json", CONFIGS)
    write_dataset(base, held_out, training_images, VALIDATION_IMAGES, seed=7)

    epochs = hyperparameters["epochs"]
    print(f"train: FCN with ResNet-50, untrained, {epochs} epochs ({PLACE / 'train.log'})")
    train(base, PLACE / "train.log", lambda epoch: print(f"  {epoch}", flush=True))

    print(f"serve: starting ({PLACE / 'serve.log'})")
    with Endpoint(base, PLACE / "serve.log") as endpoint:
        print(f"serve: /ping answered after {endpoint.seconds_to_ping:.1f} s")
        rows = [ask(endpoint, image) for image in sorted((held_out / "images").iterdir())]

    scores = iou_per_class(((truth, found) for _, truth, found in rows), len(CLASSES))
    miou = sum(scores) / len(scores)
    print(f"\n{len(rows)} held-out pictures, intersection over union:")
    for name, score in zip(CLASSES, scores, strict=True):
        print(f"  {name:<12}{score:.3f}")
    print(f"  {'mIOU':<12}{miou:.3f}")

    title = f"Pictures the network had not seen: mIOU {miou:.2f} over {len(rows)}"
    draw_sheet(title, rows[:ROWS]).save(PLACE / "result.png")
    print(f"\nLook at {PLACE / 'result.png'}. All took {time.monotonic() - started:.0f} s.")
    if miou < ENOUGH:
        print(f"The model has not learned enough: mIOU {miou:.3f} is below {ENOUGH}.")
        return 1
    return 0


def ask(endpoint: Endpoint, file: Path) -> Row:
    """POSTs an image file; returns the image, its true mask and the mask that came back."""
    answer = endpoint.invoke(file.read_bytes(), "image/jpeg", accept="image/png")
    truth = Image.open(file.parent.parent / "masks" / f"{file.stem}.png")
    predicted = Image.open(io.BytesIO(answer))
    return np.asarray(Image.open(file)), np.asarray(truth), np.asarray(predicted)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (TrainingFailed, EndpointFailed) as error:
        sys.exit(f"The demo failed: {error}")
