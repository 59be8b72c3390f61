"""Trains a network the GluonCV way, on folders laid out as SageMaker's channels.

    python -m scripts.benchmarks.gluoncv_baseline --data FOLDER --hyperparameters FILE

Loss, transforms, DataLoader with worker processes, metric, schedule and the parallel wrappers are
GluonCV's, put together as its scripts/segmentation/train.py does: not hybridized, and with a
`waitall` in every step. Two things are the package's, so that only the rest is compared: the
hyperparameters come from the same file, and an untrained backbone starts with the same weights.
Prints one JSON line for each epoch; `seconds` since the program was started.
"""

import argparse
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from gluoncv.loss import MixSoftmaxCrossEntropyLoss
from gluoncv.model_zoo import FCN, DeepLabV3, PSPNet
from gluoncv.model_zoo.segbase import SegEvalModel
from gluoncv.utils import LRScheduler
from gluoncv.utils.metrics import SegmentationMetric
from gluoncv.utils.parallel import DataParallelCriterion, DataParallelModel
from mxnet import autograd, gluon
from mxnet.gluon.data.vision import transforms

from scripts.benchmarks.channel_dataset import ChannelDataset

_NETWORKS = {"fcn": FCN, "psp": PSPNet, "deeplab": DeepLabV3}
_STAGES = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")


class Baseline:
    """One training run.

    Args:
        data: folder with the four channels.
        job: SageMaker's hyperparameters, strings.
    """

    def __init__(self, data: Path, job: dict[str, str]) -> None:
        self._device = [mx.cpu()]
        self._epochs = int(job["epochs"])
        self._batch_size = int(job["mini_batch_size"])
        self._training, self._validation = _loaders(data, job)
        model = network(job)
        self._network = DataParallelModel(model, self._device)
        self._evaluator = DataParallelModel(SegEvalModel(model), self._device)
        criterion = MixSoftmaxCrossEntropyLoss(True, aux_weight=0.5)
        self._criterion = DataParallelCriterion(criterion, self._device)
        self._trainer = gluon.Trainer(
            model.collect_params(),
            job.get("optimizer", "sgd"),
            _optimizer_options(job, len(self._training)),
            kvstore=mx.kv.create("local"),
        )
        self._metric = SegmentationMetric(int(job["num_classes"]))

    def run(self, started: float) -> None:
        """Trains and validates, printing a line for each epoch."""
        for epoch in range(self._epochs):
            loss = self._train()
            pixel_accuracy, miou = self._validate()
            figures = {
                "epoch": epoch,
                "loss": loss,
                "pixel_accuracy": float(pixel_accuracy),
                "miou": float(miou),
                "seconds": time.monotonic() - started,
            }
            print(json.dumps(figures), flush=True)

    def _train(self) -> float:
        total = 0.0
        for images, masks in self._training:
            with autograd.record(True):
                outputs = self._network(images)
                losses = self._criterion(outputs, masks)
                mx.nd.waitall()
                autograd.backward(losses)
            self._trainer.step(self._batch_size)
            total += float(np.mean([loss.asnumpy().mean() for loss in losses]))
            mx.nd.waitall()
        return total / max(1, len(self._training))

    def _validate(self) -> tuple[float, float]:
        self._metric.reset()
        for images, masks in self._validation:
            outputs = [output[0] for output in self._evaluator(images)]
            targets = gluon.utils.split_and_load(masks, self._device, even_split=False)
            self._metric.update(targets, outputs)
            mx.nd.waitall()
        pixel_accuracy, miou = self._metric.get()
        return pixel_accuracy, miou


def _loaders(data: Path, job: dict[str, str]) -> tuple[Any, Any]:
    normalize = transforms.Compose(
        [
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    sizes = (int(job.get("base_size", 520)), int(job.get("crop_size", 240)))
    training = ChannelDataset(data / "train", data / "train_annotation", "train", normalize, *sizes)
    validation = ChannelDataset(
        data / "validation", data / "validation_annotation", "val", normalize, *sizes
    )
    workers = min(int(job.get("_workers", 16)), len(os.sched_getaffinity(0)))
    return (
        gluon.data.DataLoader(
            training,
            int(job["mini_batch_size"]),
            shuffle=True,
            last_batch="rollover",
            num_workers=workers,
        ),
        gluon.data.DataLoader(
            validation,
            int(job["validation_mini_batch_size"]),
            last_batch="rollover",
            num_workers=workers,
        ),
    )


def network(job: dict[str, str]) -> Any:
    """The network of a job, initialized: from GluonCV, at its fixed crop size."""
    network = _NETWORKS[job.get("algorithm", "fcn")](
        int(job["num_classes"]),
        backbone=job.get("backbone", "resnet-50").replace("-", ""),
        aux=True,
        pretrained_base=False,
        crop_size=int(job.get("crop_size", 240)),
    )
    # GluonCV leaves the initial weights of an untrained backbone to its users: He et al., as ours.
    for stage in _STAGES:
        initializer = mx.init.MSRAPrelu(factor_type="out", slope=0)
        getattr(network, stage).initialize(initializer, ctx=mx.cpu())
    return network


def _optimizer_options(job: dict[str, str], iterations: int) -> dict[str, Any]:
    rate = float(job.get("learning_rate", 0.001))
    scheduler = LRScheduler(
        mode=job.get("lr_scheduler", "poly"),
        base_lr=rate,
        nepochs=int(job["epochs"]),
        iters_per_epoch=iterations,
        power=0.9,
    )
    options = {"learning_rate": rate, "lr_scheduler": scheduler}
    optimizer = job.get("optimizer", "sgd")
    if optimizer == "sgd":
        options["momentum"] = float(job.get("momentum", 0.9))
        options["wd"] = float(job.get("weight_decay", 0.0001))
    elif optimizer == "nag":
        options["momentum"] = 0.9
    elif optimizer == "rmsprop":
        options["gamma1"] = float(job.get("gamma1", 0.9))
        options["gamma2"] = float(job.get("gamma2", 0.9))
        options["centered"] = True
    return options


def main() -> None:
    """Reads the arguments, seeds all generators and trains."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(description="Train the GluonCV way on SageMaker's channels.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the four channels")
    parser.add_argument("--hyperparameters", type=Path, required=True, help="the job's JSON file")
    arguments = parser.parse_args()
    job = json.loads(arguments.hyperparameters.read_text())
    seed = int(job.get("seed", 0))
    random.seed(seed)
    np.random.seed(seed)
    mx.random.seed(seed)
    Baseline(arguments.data, job).run(started)


if __name__ == "__main__":
    main()
