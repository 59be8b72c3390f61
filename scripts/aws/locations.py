"""Places on AWS as the command line names them: in S3, and in the registry of images, ECR."""

import argparse
import re
from dataclasses import dataclass
from typing import Self

_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<key>.*))?")
_ECR = re.compile(
    r"(?P<registry>(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z.]+)"
    r"/(?P<repository>[a-z0-9._/-]+)"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
)


@dataclass(frozen=True)
class S3:
    """A file or a prefix in S3; `key` is empty for a whole bucket."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `s3://bucket/key`. Raises ArgumentTypeError."""
        found = _S3.fullmatch(text)
        if found is None:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no place in S3, such as s3://bucket/folder"
            )
        return cls(found["bucket"], found["key"] or "")

    def folder(self) -> "S3":
        """With a slash at the end: the prefix `train` would also match `train_annotation`."""
        return self if not self.key or self.key.endswith("/") else S3(self.bucket, f"{self.key}/")

    def child(self, name: str) -> "S3":
        """What lies under this folder."""
        return S3(self.bucket, f"{self.folder().key}{name}")

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def artifact(text: str) -> S3:
    """Reads where the model of a job lies. Raises ArgumentTypeError."""
    place = S3.parse(text)
    if not place.key.endswith(".tar.gz"):
        raise argparse.ArgumentTypeError(f"{text!r} is not the model.tar.gz of a job")
    return place


@dataclass(frozen=True)
class EcrImage:
    """An image in ECR; one of `tag` and `digest` is set."""

    registry: str
    account: str
    region: str
    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def find(cls, image: str) -> Self | None:
        """Reads an image's name; None where it is that of another registry."""
        found = _ECR.fullmatch(image)
        if found is None:
            return None
        parts = found.groupdict()
        if parts["digest"] is None:
            parts["tag"] = parts["tag"] or "latest"
        return cls(**parts)

    def __str__(self) -> str:
        end = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.registry}/{self.repository}{end}"


def ecr_destination(text: str) -> EcrImage:
    """Reads where to push to. Raises ArgumentTypeError."""
    image = EcrImage.find(text)
    if image is None or image.digest is not None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no place in ECR, such as "
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/semantic-segmentation:cpu"
        )
    return image
