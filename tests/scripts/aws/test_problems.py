import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from scripts.aws.problems import is_absent, sentence


def client_error(code: str, message: str, operation: str = "CreateTrainingJob", **more: object):
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, operation)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (boto.NoCredentialsError(), "AWS credentials are missing: name a profile with --profile"),
        (boto.PartialCredentialsError(provider="env", cred_var="x"), "credentials are missing"),
        (boto.ProfileNotFound(profile="work"), "(work) could not be found: `aws configure list-"),
        (boto.NoRegionError(), "The AWS region is missing: name it with --region"),
        (boto.UnauthorizedSSOTokenError(), "The AWS login is no longer valid: log in again"),
        (boto.TokenRetrievalError(provider="sso", error_msg="x"), "no longer valid"),
        (
            boto.CredentialRetrievalError(provider="p", error_msg="x"),
            "credentials cannot be fetched",
        ),
        (boto.EndpointConnectionError(endpoint_url="https://x"), "AWS cannot be reached: "),
        (boto.ReadTimeoutError(endpoint_url="https://x"), "AWS cannot be reached: "),
        (boto.ParamValidationError(report="a\nb"), "Parameter validation failed: a b"),
        (client_error("ExpiredTokenException", "x"), "The AWS credentials have expired: log in"),
        (
            client_error("UnrecognizedClientException", "bad key"),
            "not accept these credentials: bad",
        ),
        (
            client_error("AccessDeniedException", "User a may not sagemaker:CreateTrainingJob"),
            "These credentials may not do that (CreateTrainingJob): User a may not",
        ),
        (
            client_error("ResourceLimitExceeded", "The limit 'ml.g5.xlarge' is 0 Instances."),
            "is 0 Instances; ask for more in the console's Service Quotas, or choose another",
        ),
        (client_error("ResourceInUse", "It exists."), "It exists; choose another name"),
        (client_error("ThrottlingException", "Rate exceeded"), "try again in a minute"),
        (
            client_error("ValidationException", "Could not assume\n role x."),
            "AWS refused CreateTrainingJob: Could not assume role x (ValidationException).",
        ),
        (
            client_error(
                "ValidationException",
                "Unsupported manifest media type application/vnd.oci.image.manifest.v1+json for "
                "image x. Ensure that valid manifest media type is used for specified image.",
                "CreateModel",
            ),
            "for specified image; `make image` builds what SageMaker takes, and `push` puts it",
        ),
        (
            client_error(
                "ModelError", "x", OriginalStatusCode=415, OriginalMessage="Not an image."
            ),
            "The endpoint answered 415: Not an image.",
        ),
    ],
)
def test_a_sentence_for_what_boto3_raises(error, words):
    said = sentence(error)

    assert words in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("code", "message", "absent"),
    [
        ("ValidationException", "Could not find endpoint x.", True),
        ("ValidationException", "Requested resource not found.", True),
        ("NoSuchEntity", "x", True),
        ("NoSuchBucket", "x", True),
        ("ImageNotFoundException", "x", True),
        ("404", "Not Found", True),
        ("ValidationException", "arn:aws:iam::404404404404:role/x cannot be assumed", False),
        ("AccessDenied", "no", False),
    ],
)
def test_what_means_that_there_is_no_such_thing(code, message, absent):
    assert is_absent(client_error(code, message)) is absent
