import pytest

from scripts.aws.api_model import complaints

NAMES = {"EndpointName": "horses", "EndpointConfigName": "horses"}


def test_nothing_to_complain_about():
    assert complaints("sagemaker", "CreateEndpoint", NAMES) == []


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            {"EndpointName": "-a"},
            "EndpointName: found '-a', AWS allows letters, digits and hyphens",
        ),
        ({"EndpointName": "a" * 64}, "EndpointName: found 'aaa"),
        ({"EndpointName": 7}, "CreateEndpoint: Invalid type for parameter EndpointName, value: 7"),
        ({"Endpoint": "x"}, 'CreateEndpoint: Unknown parameter in input: "Endpoint"'),
        ({"Tags": [{"Key": "ä b", "Value": "*"}]}, "Tags[0].Value: found '*', AWS allows letters"),
        ({"Tags": [{"Key": "", "Value": ""}]}, "Tags[0].Key: found '', which has 0 characters"),
        (
            {"Tags": [{"Key": "k", "Value": ""}] * 51},
            "Tags: found 51 entries, AWS allows at most 50",
        ),
    ],
)
def test_what_aws_would_refuse(more, sentence):
    [found] = complaints("sagemaker", "CreateEndpoint", NAMES | more)
    assert found.startswith(sentence)


def test_a_missing_parameter():
    [found] = complaints("sagemaker", "CreateEndpoint", {"EndpointName": "horses"})
    assert 'Missing required parameter in input: "EndpointConfigName"' in found


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        (
            "sagemaker-runtime",
            "InvokeEndpoint",
            {"EndpointName": "a", "Body": b"", "Accept": "a/b"},
        ),
        ("ecr", "CreateRepository", {"repositoryName": "a/b"}),
    ],
)
def test_other_services(service, operation, parameters):
    assert complaints(service, operation, parameters) == []
