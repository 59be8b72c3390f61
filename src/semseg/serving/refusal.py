"""What a request gets when it cannot be served."""

# Seconds after which it is worth while to ask a busy server again.
RETRY_AFTER = 5


class Refusal(Exception):
    """A request that cannot be served, and why.

    Args:
        status: the HTTP status of the answer.
        sentence: the answer's whole body, for the person who sent the request.
        retry_after: seconds after which the same request may succeed, if it may.
    """

    def __init__(self, status: int, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.retry_after = retry_after


class Busy(Refusal):
    """503: the same request may succeed in a few seconds, which its sentence says as well."""

    def __init__(self, sentence: str) -> None:
        super().__init__(503, sentence, RETRY_AFTER)
