"""The decision whether a message is tried once more."""

from collections.abc import Callable

from flexiapi.notify.lane import Crowded, Patience
from flexiapi.plugin import RecipientDeferred, Retryable, Throttled


def worth_retrying(patience: Patience, longest_wait: float) -> Callable[[Exception], bool | float]:
    """Retry a `Retryable` error while time is left, after the wait that the provider asks for, if any.

    What is asked too often is not asked again unless it says when.
    """

    def decide(error: Exception) -> bool | float:
        if isinstance(error, Crowded):
            return patience.left > 0
        if not isinstance(error, Retryable):
            return False
        if error.retry_after is not None:
            return error.retry_after if error.retry_after < patience.left else False
        return not isinstance(error, Throttled | RecipientDeferred) and patience.left > longest_wait

    return decide
