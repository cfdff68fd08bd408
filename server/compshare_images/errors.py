"""Everything that a call can fail with.

    CompShareError
    ├── InvalidArgument             the call's own values
    ├── NotConfigured               keys or settings
    ├── NotFound                    no such image
    ├── InternalError               a fault of this server
    └── UpstreamError               what the service, or the way to it, answered
        ├── RequestRejected         a value of the request
        ├── AuthenticationFailed    the keys are not accepted
        ├── PermissionDenied        the keys may not do this
        ├── ImageNotFound           no such image (also a NotFound)
        ├── RateLimited             throttled
        ├── UpstreamUnavailable     too slow, or in trouble
        │   └── Unreachable         no way to it that a moment's wait would open
        └── UpstreamInvalid         cannot be understood

`str(error)` is what a model reads: the code in square brackets, what happened, what to do next.
"""

from typing import ClassVar

DEFAULT_WAIT = 10.0  # seconds, for a throttled caller who was not told how long


class CompShareError(Exception):
    """The root. `remedy` says what to do next, and whether and when to retry."""

    code: ClassVar[str]
    remedy: ClassVar[str] = ""

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = self.remedy if remedy is None else remedy

    def __str__(self) -> str:
        return f"[{self.code}] {self.message} {self.advice}".rstrip()


class InvalidArgument(CompShareError):
    code = "invalid_argument"


class NotConfigured(CompShareError):
    code = "not_configured"


class NotFound(CompShareError):
    code = "not_found"
    remedy = "Search again with search_community_images; do not retry this id."


class InternalError(CompShareError):
    code = "internal_error"
    remedy = "A fault of this server, not of the call. Retry once; if it stays, report it with the server's log."


class UpstreamError(CompShareError):
    """`retryable` says whether the same request may succeed in a moment.

    `ret_code` is the service's own code, `parameter` the argument (or else the request parameter) that its message
    names, `retry_after` the seconds that it asks to wait; each None when it gave none.
    """

    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        ret_code: int | None = None,
        parameter: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, remedy=None if retry_after is None else f"Retry after {retry_after:.0f} seconds.")
        self.ret_code = ret_code
        self.parameter = parameter
        self.retry_after = retry_after


class RequestRejected(UpstreamError):
    """The service refuses a value of the request.

    Whose value it was, a call's or a setting's, is known only to whoever built the request; until that is said, it
    counts as the call's.
    """

    code = "invalid_argument"
    remedy = "Change the named value; the same call will fail again."


class AuthenticationFailed(UpstreamError):
    code = "authentication_failed"
    remedy = (
        "Check the key pair and COMPSHARE_BASE_URL (keys of CompShare work only at https://api.compshare.cn); "
        "keys are made at https://console.compshare.cn/uaccount/api_manage. Do not retry before that."
    )


class PermissionDenied(UpstreamError):
    code = "permission_denied"
    remedy = "Check the project (COMPSHARE_PROJECT_ID or project_id) and what the keys may do, and only then retry."


class ImageNotFound(UpstreamError, NotFound):
    code = "not_found"
    remedy = NotFound.remedy


class RateLimited(UpstreamError):
    code = "rate_limited"
    remedy = f"Retry after {DEFAULT_WAIT:.0f} seconds."
    retryable = True


class UpstreamUnavailable(UpstreamError):
    code = "upstream_unavailable"
    remedy = "Retry in a minute."
    retryable = True


class Unreachable(UpstreamUnavailable):
    remedy = "Check the network, the proxy and the certificates of this machine, then retry."
    retryable = False


class UpstreamInvalid(UpstreamError):
    code = "upstream_invalid"
    remedy = "Check COMPSHARE_BASE_URL and any proxy; if they are right, retry in a few minutes."


PASSING = (RateLimited, UpstreamUnavailable, UpstreamInvalid)
"""Trouble in which an older answer is better than none; refused keys and values are not of this kind."""
