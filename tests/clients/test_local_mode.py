"""The SDK's local mode: AWS's notebook, with this image's name in the place of the built-in one's.

Docker runs the image; SageMaker itself is played by the SDK. The hyperparameters are those of the
notebook, but for sizes that would take a laptop hours.
"""

import os
import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sagemaker.amazon.common import read_records
from sagemaker.deserializers import BytesDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.local import LocalSession
from sagemaker.serializers import IdentitySerializer

IMAGE = os.environ["SEMSEG_TEST_IMAGE"]
DATA = Path(os.environ["SEMSEG_TEST_DATA"])
CLASSES = 3
ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> LocalSession:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    session = LocalSession()
    root = str(tmp_path_factory.mktemp("containers"))
    session.config = {"local": {"local_code": True, "container_root": root, "serving_port": port}}
    return session


@pytest.fixture(scope="module")
def estimator(session: LocalSession, tmp_path_factory: pytest.TempPathFactory) -> Estimator:
    """The notebook's estimator, fitted."""
    ss_estimator = Estimator(
        image_uri=IMAGE,
        role=ROLE,
        instance_count=1,
        instance_type="local",
        output_path=f"file://{tmp_path_factory.mktemp('output')}",
        sagemaker_session=session,
        disable_profiler=True,
    )
    ss_estimator.set_hyperparameters(
        backbone="resnet-50",
        algorithm="fcn",
        use_pretrained_model="False",  # "True" in the notebook: this machine may be off the network
        crop_size=32,  # 240
        num_classes=CLASSES,  # 21
        epochs=1,  # 10
        learning_rate=0.0001,
        optimizer="rmsprop",
        lr_scheduler="poly",
        mini_batch_size=2,  # 16
        validation_mini_batch_size=2,  # 16
        early_stopping=True,
        early_stopping_patience=2,
        early_stopping_min_epochs=10,
        num_training_samples=6,
    )
    channels = {
        name: TrainingInput(f"file://{DATA / name}", distribution="FullyReplicated", content_type=t)
        for name, t in (
            ("train", "image/jpeg"),
            ("validation", "image/jpeg"),
            ("train_annotation", "image/png"),
            ("validation_annotation", "image/png"),
        )
    }
    ss_estimator.fit(channels, logs=True)
    return ss_estimator


@pytest.fixture(scope="module")
def predictor(estimator: Estimator) -> Iterator:
    ss_predictor = estimator.deploy(initial_instance_count=1, instance_type="local")
    yield ss_predictor
    ss_predictor.delete_endpoint()


@pytest.fixture(scope="module")
def photo() -> bytes:
    return next((DATA / "validation").glob("*.jpg")).read_bytes()


@pytest.fixture
def mask(predictor, photo: bytes) -> np.ndarray:
    """The notebook's cell for a mask."""
    predictor.deserializer = BytesDeserializer(accept="image/png")
    predictor.serializer = IdentitySerializer("image/jpeg")
    return np.array(Image.open(BytesIO(predictor.predict(photo))))


def test_the_artifact_is_packed_as_sagemaker_packs_it(estimator: Estimator) -> None:
    assert estimator.model_data.startswith("file://")
    assert estimator.model_data.endswith("model.tar.gz")


def test_a_batch_transform(estimator: Estimator, tmp_path: Path) -> None:
    """Before the endpoint, since only one container can have the port."""
    transformer = estimator.transformer(
        instance_count=1,
        instance_type="local",
        strategy="SingleRecord",
        accept="image/png",
        output_path=f"file://{tmp_path}",
        max_concurrent_transforms=1,
        max_payload=6,
    )

    transformer.transform(f"file://{DATA / 'validation'}", content_type="image/jpeg", logs=False)

    photos = sorted((DATA / "validation").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{p.name}.out" for p in photos]
    for photo in photos:
        mask = np.array(Image.open(tmp_path / f"{photo.name}.out"))
        assert mask.shape == Image.open(photo).size[::-1]


def test_a_mask(mask: np.ndarray, photo: bytes) -> None:
    width, height = Image.open(BytesIO(photo)).size
    assert (mask.shape, mask.dtype) == ((height, width), np.uint8)
    assert mask.max() < CLASSES


def test_probabilities(predictor, photo: bytes, mask: np.ndarray) -> None:
    predictor.serializer = IdentitySerializer("image/jpeg")
    predictor.deserializer = BytesDeserializer(accept="application/x-protobuf")

    [record] = read_records(BytesIO(predictor.predict(photo)))

    shape = list(record.features["shape"].int32_tensor.values)
    values = np.array(record.features["target"].float32_tensor.values)
    scores = np.squeeze(np.reshape(values, shape), axis=0)
    assert scores.shape == (CLASSES, *mask.shape)
    assert (scores.argmax(axis=0) == mask).mean() > 0.99
