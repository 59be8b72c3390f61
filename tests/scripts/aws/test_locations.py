import argparse

import pytest

from scripts.aws.locations import S3, EcrImage, artifact


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [("s3://bucket", "bucket", ""), ("s3://bucket/", "bucket", ""), ("s3://b.c/a/b", "b.c", "a/b")],
)
def test_a_place_in_s3(text, bucket, key):
    assert S3.parse(text) == S3(bucket, key)


@pytest.mark.parametrize("text", ["bucket/x", "s3:/bucket", "s3://B/x", "S3://bucket", "s3://", ""])
def test_no_place_in_s3(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is no place in S3"):
        S3.parse(text)


def test_folders_end_with_a_slash_and_a_bucket_with_nothing():
    assert str(S3("bucket", "a").folder()) == "s3://bucket/a/"
    assert str(S3("bucket", "a/").folder()) == "s3://bucket/a/"
    assert str(S3("bucket", "").child("train")) == "s3://bucket/train"
    assert str(S3("bucket", "a").child("train").folder()) == "s3://bucket/a/train/"


def test_an_artifact_is_a_packed_model():
    assert artifact("s3://bucket/model.tar.gz").key == "model.tar.gz"
    with pytest.raises(argparse.ArgumentTypeError, match=r"not the model\.tar\.gz"):
        artifact("s3://bucket/model")


def test_an_image_in_ecr():
    registry = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
    image = EcrImage.find(f"{registry}/team/semseg")
    assert image == EcrImage(registry, "123456789012", "cn-north-1", "team/semseg", "latest", None)
    assert str(image) == f"{registry}/team/semseg:latest"
    digest = f"{registry}/semseg@sha256:{'a' * 64}"
    assert str(EcrImage.find(digest)) == digest
    assert EcrImage.find("semseg:cpu") is None
