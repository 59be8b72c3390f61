"""The SageMaker Python SDK, version 2, as AWS's notebook uses it."""

from io import BytesIO
from unittest.mock import Mock

import boto3
import numpy as np
import pytest
from PIL import Image
from sagemaker import Session
from sagemaker.deserializers import BytesDeserializer, NumpyDeserializer, RecordDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import IdentitySerializer


@pytest.fixture(scope="module")
def session(runtime) -> Session:
    return Session(
        boto3.Session(region_name="us-east-1"),
        sagemaker_client=Mock(),  # creating and describing endpoints is not what is tested
        sagemaker_runtime_client=runtime,
    )


@pytest.fixture
def predictor(session):
    def make(deserializer) -> Predictor:
        return Predictor(
            "segmentation",
            session,
            serializer=IdentitySerializer("image/jpeg"),
            deserializer=deserializer,
        )

    return make


@pytest.fixture
def mask(predictor, image) -> np.ndarray:
    png = predictor(BytesDeserializer()).predict(image, initial_args={"Accept": "image/png"})
    return np.array(Image.open(BytesIO(png)))


def test_the_mask(mask):
    assert (mask.shape, mask.dtype) == ((41, 57), np.uint8)


def test_the_record_deserializer(predictor, image, mask):
    [record] = predictor(RecordDeserializer()).predict(image)
    shape = list(record.features["shape"].int32_tensor.values)
    values = list(record.features["target"].float32_tensor.values)

    scores = np.squeeze(np.reshape(np.array(values), shape), axis=0)
    assert shape == [1, *scores.shape]
    np.testing.assert_allclose(scores.sum(axis=0), 1, atol=1e-5)
    assert (np.argmax(scores, axis=0) == mask).mean() > 0.99


def test_the_numpy_deserializer(predictor, image, mask):
    scores = predictor(NumpyDeserializer()).predict(image)

    assert scores.dtype == np.float32
    assert (np.argmax(scores, axis=0) == mask).mean() > 0.99


def test_the_predictor_s_own_defaults(session, image):
    """It sends `application/octet-stream` and accepts `*/*`."""
    answer = Predictor("segmentation", session).predict(image)

    assert answer[:4] == b"\x0a\x23\xd7\xce"
