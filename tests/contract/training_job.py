"""A SageMaker tree made for a test, and a real `train` on it in a process of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SOURCES = Path(__file__).resolve().parents[2] / "src"

CLASSES = 3
CHANNELS = ("train", "train_annotation", "validation", "validation_annotation")
# Six images in batches of two make three iterations an epoch.
HYPERPARAMETERS = {
    "num_classes": str(CLASSES),
    "num_training_samples": "6",
    "epochs": "1",
    "crop_size": "32",
    "base_size": "48",
    "mini_batch_size": "2",
    "validation_mini_batch_size": "2",
    "use_pretrained_model": "False",
    "optimizer": "rmsprop",
    "learning_rate": "0.0001",
    "seed": "7",
    "_logging_frequency": "1",
}

EPOCHS = 2  # of the job that most tests ask about
PREFIX = re.compile(r"\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d (INFO|WARNING|ERROR) \d+\] ")

TRAINING_SIZES = ((70, 50),) * 6
VALIDATION_SIZES = ((70, 50),) * 3


@dataclass(frozen=True)
class Outcome:
    """How a `train` ended: its exit code, standard output, standard error and failure file."""

    exit_code: int
    log: str
    errors: str
    failure: str | None

    def imported(self, module: str) -> bool:
        """Whether the process imported a module; only where imports were traced."""
        assert "import time:" in self.errors, "imports were not traced"
        return re.search(rf"\|\s+{module}$", self.errors, re.MULTILINE) is not None


class TrainingJob:
    """A tree with drawn images, masks and configuration files.

    Args:
        base: the folder that stands for `/opt/ml`.
        training_sizes: width and height of each training image.
        validation_sizes: width and height of each validation image.
        host: the name of the only host.
        hyperparameters: those that differ from `HYPERPARAMETERS`.
    """

    def __init__(
        self,
        base: Path,
        training_sizes: tuple[tuple[int, int], ...] = TRAINING_SIZES,
        validation_sizes: tuple[tuple[int, int], ...] = VALIDATION_SIZES,
        host: str = "algo-1",
        **hyperparameters: str,
    ) -> None:
        self.base = base
        self.model = base / "model"
        for name in CHANNELS:
            self.channel(name).mkdir(parents=True)
        rng = np.random.default_rng(0)
        for part, sizes in (("train", training_sizes), ("validation", validation_sizes)):
            for number, size in enumerate(sizes):
                self.add_pair(part, f"{number}", size, rng)
        self.configure("hyperparameters", {**HYPERPARAMETERS, **hyperparameters})
        self.configure(
            "inputdataconfig", {name: {"TrainingInputMode": "File"} for name in CHANNELS}
        )
        hosts = {"current_host": host, "hosts": [host], "network_interface_name": "eth0"}
        self.configure("resourceconfig", hosts)

    def channel(self, name: str) -> Path:
        return self.base / "input" / "data" / name

    def configure(self, name: str, content: dict[str, object]) -> None:
        """Writes a file of `input/config`."""
        path = self.base / "input" / "config" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))

    def add_channel(self, name: str, settings: dict[str, str] | None = None) -> Path:
        """Adds a channel to `inputdataconfig.json`; its folder."""
        path = self.base / "input" / "config" / "inputdataconfig.json"
        channels = json.loads(path.read_text())
        self.configure("inputdataconfig", {**channels, name: settings or {}})
        return self.channel(name)

    def drop_channel(self, name: str) -> None:
        """Takes a channel out of `inputdataconfig.json`."""
        path = self.base / "input" / "config" / "inputdataconfig.json"
        channels = json.loads(path.read_text())
        del channels[name]
        self.configure("inputdataconfig", channels)

    def add_test_data(self) -> None:
        """Adds the channels `test` and `test_annotation`: what is validated with."""
        for suffix in ("", "_annotation"):
            shutil.copytree(self.channel(f"validation{suffix}"), self.add_channel(f"test{suffix}"))

    def add_label_maps(self, **parts: object) -> None:
        """Adds the channel `label_map` with a file for each part: train, validation or test."""
        folder = self.add_channel("label_map")
        folder.mkdir()
        for part, content in parts.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (folder / f"{part}_label_map.json").write_text(text)

    def rewrite_masks(self, part: str, values: Sequence[int]) -> None:
        """Gives the labels 0, 1, 2 ... of a part's masks these pixel values; 255 stays."""
        for path in self.channel(f"{part}_annotation").iterdir():
            with Image.open(path) as mask:
                mask.point([*values, *range(len(values), 256)]).save(path)

    def add_pair(
        self, part: str, name: str, size: tuple[int, int], rng: np.random.Generator
    ) -> None:
        """A dark noisy image with a bright square of each class, and its mask with a 255 rim."""
        width, height = size
        image = Image.fromarray(rng.integers(0, 80, (height, width, 3), dtype=np.uint8))
        mask = Image.new("L", size, 0)
        for label in range(1, CLASSES):
            left, top = int(rng.integers(0, width // 2)), int(rng.integers(0, height // 2))
            square = (left, top, left + 20, top + 20)
            ImageDraw.Draw(image).rectangle(square, fill=(255 * (label == 1), 255, 128))
            ImageDraw.Draw(mask).rectangle(square, fill=label, outline=255)
        image.save(self.channel(part) / f"{name}.jpg")
        mask.save(self.channel(f"{part}_annotation") / f"{name}.png")

    def start(
        self,
        *options: str,
        command: tuple[str, ...] = (),
        before: str = "",
        **variables: str,
    ) -> subprocess.Popen[str]:
        """Starts `train`, its outputs being pipes.

        Args:
            options: Python's own.
            command: what starts Python, if it does not start by itself.
            before: Python to run in the same process first.
            variables: of the environment.
        """
        code = f"{before}\nfrom semseg.train import main\nmain()"
        train = ["-c", code] if before else ["-m", "semseg.train"]
        environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCES),
            "SAGEMAKER_BASE_DIR": str(self.base),
            **variables,
        }
        return subprocess.Popen(
            [*command, sys.executable, *options, *train],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, trace_imports: bool = False, **variables: str) -> Outcome:
        """Runs `train` to its end."""
        options = ("-X", "importtime") if trace_imports else ()
        with self.start(*options, **variables) as process:
            log, errors = process.communicate()
        failure = self.base / "output" / "failure"
        text = failure.read_text() if failure.exists() else None
        return Outcome(process.returncode, log, errors, text)

    def want_checkpoints(self) -> Path:
        """Adds `checkpointconfig.json`; the folder it names."""
        folder = self.base / "checkpoints"
        self.configure("checkpointconfig", {"LocalPath": str(folder)})
        return folder

    def model_files(self) -> set[str]:
        """The names of what lies in the model folder."""
        return {path.name for path in self.model.iterdir()} if self.model.exists() else set()

    def remove(self) -> None:
        """A model takes 280 MB, more than should stay behind."""
        shutil.rmtree(self.base)


def logits_of(parameters: Path, algorithm: str) -> tuple[np.ndarray, np.ndarray]:
    """What a parameter file's network says of one image: loaded by GluonCV's class, and by ours."""
    import mxnet as mx
    from gluoncv import model_zoo

    from semseg.networks.zoo import build

    theirs = {"fcn": model_zoo.FCN, "psp": model_zoo.PSPNet, "deeplab": model_zoo.DeepLabV3}
    networks = (
        theirs[algorithm](CLASSES, pretrained_base=False, crop_size=32),
        build(algorithm, "resnet-50", CLASSES),
    )
    pixels = np.random.default_rng(1).normal(size=(1, 3, 32, 32))
    for network in networks:
        network.load_parameters(str(parameters))
    first, second = (network(mx.nd.array(pixels))[0].asnumpy() for network in networks)
    return first, second


@dataclass(frozen=True)
class Run:
    """A job that ran, and how it ended."""

    job: TrainingJob
    outcome: Outcome

    @property
    def lines(self) -> list[str]:
        """The log as it would look in the container."""
        return self.outcome.log.replace(str(self.job.base), "/opt/ml").splitlines()
