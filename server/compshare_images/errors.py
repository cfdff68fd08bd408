"""Everything that a call can fail with.

    CompShareError
    ├── InvalidArgument         the call's own values
    ├── NotConfigured           keys or settings
    ├── NotFound                no such image
    ├── AuthenticationFailed    the service does not accept the keys
    ├── PermissionDenied        the keys may not do this
    ├── RateLimited             throttled; may say for how long
    ├── UpstreamUnavailable     not reached, too slow, or in trouble
    ├── UpstreamInvalid         answered with what cannot be understood
    └── InternalError           a fault of this server

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


class UpstreamError(CompShareError):
    """What the service or the way to it answered.

    `ret_code` is the service's own code, `parameter` the request parameter that its message names; both None when
    it gave none.
    """

    def __init__(
        self, message: str, *, remedy: str | None = None, ret_code: int | None = None, parameter: str | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.ret_code = ret_code
        self.parameter = parameter


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
    remedy = (
        "Check the project (COMPSHARE_PROJECT_ID or project_id) and what the keys may do. Do not retry before that."
    )


class ImageNotFound(UpstreamError, NotFound):
    """RetCode 8039: the service knows no image of that id."""

    code = "not_found"
    remedy = NotFound.remedy


class RateLimited(UpstreamError):
    """Throttled. `retry_after` is the service's own wish in seconds, None when it has none."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: float | None = None, ret_code: int | None = None) -> None:
        wait = DEFAULT_WAIT if retry_after is None else retry_after
        super().__init__(message, remedy=f"Retry after {wait:.0f} seconds.", ret_code=ret_code)
        self.retry_after = retry_after
        self.retryable = True


class UpstreamUnavailable(UpstreamError):
    """Not reached, too slow, or in trouble. `retryable` says whether a moment's wait can help."""

    code = "upstream_unavailable"
    remedy = "Retry in a minute."

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        ret_code: int | None = None,
        parameter: str | None = None,
        retry_after: float | None = None,
        retryable: bool = True,
    ) -> None:
        super().__init__(message, remedy=remedy, ret_code=ret_code, parameter=parameter)
        self.retry_after = retry_after
        self.retryable = retryable


class UpstreamInvalid(UpstreamError):
    code = "upstream_invalid"
    remedy = "Check COMPSHARE_BASE_URL and any proxy; if they are right, retry in a few minutes."


class InternalError(CompShareError):
    code = "internal_error"
    remedy = (
        "This is a fault of this server, not of the call. Retry once; if it stays, report it with the server's log."
    )


PASSING = (RateLimited, UpstreamUnavailable, UpstreamInvalid)
"""Trouble in which an older answer is better than none; refused keys and values are not of this kind."""
