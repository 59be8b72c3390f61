import botocore.session
import pytest

from scripts.aws.instances import complaints


@pytest.mark.parametrize(
    "instance_type",
    ["ml.c5.xlarge", "ml.m5.large", "ml.g4dn.xlarge", "ml.g5.48xlarge", "ml.g6.xlarge",
     "ml.g6e.xlarge", "ml.p3.2xlarge", "ml.p3dn.24xlarge", "ml.p4d.24xlarge", "ml.p4de.24xlarge",
     "ml.m7i-flex.large", "ml.r5d.large", "ml.t2.medium"],
)  # fmt: skip
def test_the_image_can_use(instance_type):
    assert complaints(instance_type) == []


@pytest.mark.parametrize(
    ("instance_type", "reason"),
    [
        ("ml.p2.xlarge", "K80 GPUs (compute capability 3.7)"),
        ("ml.p5.48xlarge", "H100 GPUs (compute capability 9.0)"),
        ("ml.p5en.48xlarge", "H200 GPUs"),
        ("ml.p6-b200.48xlarge", "B200 GPUs"),
        ("ml.g7e.2xlarge", "Blackwell GPUs"),
        ("ml.trn1.2xlarge", "an accelerator that MXNet cannot use"),
        ("ml.dl1.24xlarge", "an accelerator that MXNet cannot use"),
        ("ml.c6gn.large", "an ARM processor"),
        ("ml.r8g.medium", "an ARM processor"),
        ("ml.p6e-gb200.36xlarge", "an ARM processor"),
    ],
)
def test_the_image_cannot_use(instance_type, reason):
    [sentence] = complaints(instance_type)
    assert reason in sentence


def test_every_family_with_a_gpu_or_an_accelerator_is_known():
    """A new one in AWS's list is to be decided on, not to be let through."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    names = {
        name.split(".")[1]
        for shape in (
            "TrainingInstanceType",
            "ProductionVariantInstanceType",
            "TransformInstanceType",
        )
        for name in model.shape_for(shape).enum
    }
    special = {name for name in names if name[0] in "pg" or name.startswith(("inf", "trn", "dl"))}
    usable = {name for name in special if not complaints(f"ml.{name}.xlarge")}
    assert usable == {"p3", "p3dn", "p4d", "p4de", "g4dn", "g5", "g6", "g6e"}
