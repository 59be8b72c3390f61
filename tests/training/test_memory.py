import pytest

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameters import Configuration, Hyperparameters, defaults
from semseg.training.memory import refuse_too_little_memory

GIB = 1 << 30


def job(**hyperparameters: str) -> Hyperparameters:
    required = {"num_classes": "21", "num_training_samples": "1464"}
    return Configuration.merge(defaults(), {**required, **hyperparameters}).hyperparameters


def test_the_sentence_tells_what_to_change():
    with pytest.raises(CustomerError) as refusal:
        refuse_too_little_memory(job(), gpus=0, memory=4 * GIB)

    sentence = str(refusal.value)
    assert "fcn on resnet-50 with mini_batch_size=16 and crop_size=240" in sentence
    assert "there are 4.0 GiB" in sentence
    assert "Set mini_batch_size to 15 or less" in sentence
    refuse_too_little_memory(job(mini_batch_size="15"), gpus=0, memory=4 * GIB)


def test_a_gpu_holds_the_batches_itself():
    refuse_too_little_memory(job(mini_batch_size="128"), gpus=1, memory=4 * GIB)


def test_no_batch_fits_beside_a_network_that_is_too_large():
    with pytest.raises(CustomerError, match="Choose another network, or give the job more memory"):
        refuse_too_little_memory(
            job(backbone="resnet-101", algorithm="psp"), gpus=0, memory=GIB // 2
        )


@pytest.mark.parametrize("algorithm", ["fcn", "psp", "deeplab"])
@pytest.mark.parametrize("backbone", ["resnet-50", "resnet-101"])
def test_the_documented_defaults_fit_into_a_laptop(algorithm, backbone):
    refuse_too_little_memory(job(algorithm=algorithm, backbone=backbone), gpus=0, memory=16 * GIB)
