"""What can go wrong with AWS, each as one plain sentence.

`Refused` is the caller's to put right, and nothing was started. `Failed` is what AWS made of it.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from botocore import exceptions as boto
from botocore.exceptions import ClientError

_LOG_IN = "log in again (for example with `aws sso login`) or set new keys"
_KEYS_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_KEYS_UNKNOWN = {
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_DENIED = {"403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_ADVICE = {
    "ResourceInUse": "choose another name",
    "ResourceLimitExceeded": "ask for more in the console's Service Quotas, or choose another "
    "--instance-type",
    "Throttling": "try again in a minute",
    "ThrottlingException": "try again in a minute",
}
# https://github.com/aws/amazon-sagemaker-feedback/issues/180; the code is every mistake's.
_MANIFEST = "unsupported manifest media type"
_NO_SUCH_IMAGES = "`make image` builds what SageMaker takes, and `push` puts it in its place"


class _Ending(Exception):
    exit_code: ClassVar[int]

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))


class Refused(_Ending):
    """The caller can put it right; nothing was started. All that is wrong, a sentence each."""

    exit_code = 2


class Failed(_Ending):
    """AWS did not do what was asked, or a job there has failed."""

    exit_code = 1


def refuse(sentences: Sequence[str]) -> None:
    """Raises Refused if there is anything to refuse for."""
    if sentences:
        raise Refused(*sentences)


def is_denied(error: ClientError) -> bool:
    """Whether these credentials may not do what was asked."""
    return code_of(error) in _DENIED


def is_absent(error: ClientError) -> bool:
    """Whether AWS says that there is no such thing, for which each service has words of its own."""
    code, message = code_of(error), _message(error).lower()
    return (
        code == "404"
        or code.startswith("NoSuch")
        or "NotFound" in code
        or "could not find" in message
        or "not found" in message
    )


def code_of(error: ClientError) -> str:
    """AWS's name of an error, such as `ValidationException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def sentence(error: Exception) -> str:
    """What boto3 raised, in one line that says what to do where that is known."""
    match error:
        case boto.NoCredentialsError() | boto.PartialCredentialsError():
            return (
                "AWS credentials are missing: name a profile with --profile, run `aws configure`, "
                "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        case boto.ProfileNotFound():
            return f"{error}: `aws configure list-profiles` lists those there are."
        case boto.NoRegionError():
            return "The AWS region is missing: name it with --region or AWS_DEFAULT_REGION."
        case boto.SSOError() | boto.TokenRetrievalError() | boto.UnauthorizedSSOTokenError():
            return f"The AWS login is no longer valid: {_LOG_IN}."
        case boto.CredentialRetrievalError():
            return f"The AWS credentials cannot be fetched: {_one_line(str(error))}"
        case boto.ConnectionError() | boto.HTTPClientError():
            return f"AWS cannot be reached: {_one_line(str(error))}"
        case ClientError():
            return _refusal(error)
    return _one_line(str(error))


def _refusal(error: ClientError) -> str:
    code, message = code_of(error), _message(error)
    if code in _KEYS_EXPIRED:
        return f"The AWS credentials have expired: {_LOG_IN}."
    if code in _KEYS_UNKNOWN:
        return f"AWS does not accept these credentials: {message}"
    if code == "ModelError":
        return _answer_of_the_container(error.response, message)
    if is_denied(error):
        return f"These credentials may not do that ({error.operation_name}): {message}"
    advice = _NO_SUCH_IMAGES if _MANIFEST in message.lower() else _ADVICE.get(code)
    return (
        f"AWS refused {error.operation_name}: {message.rstrip('.')}"
        f"{f'; {advice}' if advice else ''} ({code})."
    )


def _answer_of_the_container(response: Any, message: str) -> str:
    status = response.get("OriginalStatusCode", "an error")
    return f"The endpoint answered {status}: {response.get('OriginalMessage') or message}"


def _message(error: ClientError) -> str:
    return _one_line(str(error.response.get("Error", {}).get("Message", "") or error))


def _one_line(text: str) -> str:
    return " ".join(text.split())
