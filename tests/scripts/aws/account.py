"""What the account that moto plays has in it, and how a call of the command ends."""

import json
from dataclasses import dataclass
from typing import Any

ACCOUNT = "123456789012"  # moto's
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/SageMaker"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/semantic-segmentation:cpu"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
MANIFEST = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
INDEX = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json"}
OBJECTS = (
    "horses/train/a.jpg",
    "horses/train_annotation/a.png",
    "horses/validation/b.jpg",
    "horses/validation_annotation/b.png",
    "horses/maps/train_label_map.json",
    "horses/train.manifest",
    "horses/validation.manifest",
    "jobs/old/output/model.tar.gz",
)
HYPERPARAMETERS = {"num_classes": 2, "num_training_samples": "277", "epochs": "3"}
CONTAINER = ["--image", IMAGE, "--role", ROLE, "--instance-type", "ml.g4dn.xlarge"]


@dataclass(frozen=True)
class Outcome:
    """How a call of `python -m scripts.aws` ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON that --dry-run prints."""
        assert self.code == 0, self.err
        return json.loads(self.out)
