"""What a request gets when it cannot be served."""


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
