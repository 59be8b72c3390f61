"""boto3, as customers call an endpoint without the SDK."""

from io import BytesIO

import numpy as np
import pytest
from botocore.exceptions import ClientError
from PIL import Image


def test_a_mask(runtime, image):
    answer = runtime.invoke_endpoint(
        EndpointName="segmentation", ContentType="image/jpeg", Accept="image/png", Body=image
    )

    assert answer["ContentType"] == "image/png"
    mask = np.array(Image.open(answer["Body"]))
    assert (mask.shape, mask.dtype) == ((41, 57), np.uint8)


def test_no_wish_at_all_gives_the_record(runtime, image):
    answer = runtime.invoke_endpoint(EndpointName="segmentation", Body=image)

    assert answer["ContentType"] == "application/x-recordio-protobuf"
    assert answer["Body"].read(4) == b"\x0a\x23\xd7\xce"


def test_a_body_that_can_be_read_once_only(runtime, image):
    answer = runtime.invoke_endpoint(
        EndpointName="segmentation", Accept="application/x-npy", Body=BytesIO(image)
    )

    assert np.load(BytesIO(answer["Body"].read())).shape[1:] == (41, 57)


def test_a_sentence_reaches_the_caller(runtime):
    with pytest.raises(ClientError) as error:
        runtime.invoke_endpoint(EndpointName="segmentation", Body=b"no image")

    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 415
