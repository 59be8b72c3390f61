import pytest

from semseg.sagemaker.errors import AlgorithmError, CustomerError, PlatformError, SemsegError


@pytest.mark.parametrize(
    ("error", "label", "exit_code"),
    [
        (CustomerError, "Customer Error", 2),
        (AlgorithmError, "Algorithm Error", 1),
        (PlatformError, "Platform Error", 3),
    ],
)
def test_each_class_has_its_label_and_exit_code(
    error: type[SemsegError], label: str, exit_code: int
) -> None:
    raised = error("something")
    assert (str(raised), raised.label, raised.exit_code) == ("something", label, exit_code)
