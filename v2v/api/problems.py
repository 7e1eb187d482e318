"""Every error of the API as a problem document (RFC 9457) with a code of the contract."""

import math
import sys
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from v2v.protocol.codes import ERRORS, ErrorCode
from v2v.protocol.decode import Refusal

CONTENT_TYPE = "application/problem+json"
MAX_ISSUES = 20
RETRY_AFTER_S = 5  # what a client of a service that is away is told to wait

_CODES = {
    401: ErrorCode.AUTH_FAILED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    409: ErrorCode.CONFLICT,
    429: ErrorCode.RATE_LIMITED,
    503: ErrorCode.UNAVAILABLE,
}
_KEPT_HEADERS = ("WWW-Authenticate", "Allow")
_log = structlog.get_logger(__name__)


def problem(
    code: ErrorCode, *, status: int | None = None, detail: str | None = None, details: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The document. `detail` is for people, `details` for programs."""
    text = ERRORS[code]
    return {
        "type": f"urn:v2v:problem:{code}",
        "title": text.title,
        "status": status or text.http_status,
        "detail": detail or text.advice,
        "code": str(code),
        "details": details or {},
    }


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler; None lets what nobody foresaw go on to Django, which logs it."""
    if isinstance(error, Refusal):
        detail = error.message if error.message != ERRORS[error.code].title else None
        return _response(problem(error.code, detail=detail, details=error.details))
    if isinstance(error, OperationalError | InterfaceError):
        _log.error("the database is away", error=str(error))
        return _response(problem(ErrorCode.UNAVAILABLE))
    response = exception_handler(error, context)
    if response is None:
        return None
    return _response(_of_framework(error, response), headers=dict(response.items()))


def _response(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    kept = {name: value for name, value in (headers or {}).items() if name in _KEPT_HEADERS}
    return Response(
        document, status=document["status"], headers={**kept, **_retry_after(document)}, content_type=CONTENT_TYPE
    )


def _retry_after(document: dict[str, Any]) -> dict[str, str]:
    """The header that says in seconds what the document says in milliseconds."""
    wait_ms = document["details"].get("retryAfterMs")
    if wait_ms is None and document["code"] == ErrorCode.UNAVAILABLE:
        wait_ms = RETRY_AFTER_S * 1000
    return {} if wait_ms is None else {"Retry-After": str(math.ceil(wait_ms / 1000))}


def _of_framework(error: Exception, response: Response) -> dict[str, Any]:
    status = response.status_code
    code = _CODES.get(status, ErrorCode.VALIDATION_ERROR if status < 500 else ErrorCode.INTERNAL_ERROR)
    if isinstance(error, exceptions.ValidationError):
        issues = _issues(error.detail)[:MAX_ISSUES]
        return problem(code, status=status, details={**issues[0], "issues": issues})
    if isinstance(error, exceptions.Throttled) and (wait_s := getattr(error, "wait", None)) is not None:
        return problem(code, status=status, details={"retryAfterMs": round(wait_s * 1000)})
    if isinstance(error, Http404 | PermissionDenied):  # their texts name models and are not for clients
        return problem(code, status=status)
    return problem(code, status=status, detail=str(getattr(error, "detail", "")) or None)


def _issues(detail: Any, path: str = "") -> list[dict[str, str]]:
    """REST framework's tree of errors as a flat list of field and issue."""
    if isinstance(detail, dict):
        found = [_issues(value, f"{path}.{key}" if path else str(key)) for key, value in detail.items()]
        return [issue for issues in found for issue in issues]
    if isinstance(detail, list):
        return [issue for item in detail for issue in _issues(item, path)]
    return [{"field": path.replace("non_field_errors", ""), "issue": str(detail)}]


def problem_response(code: ErrorCode, *, details: dict[str, Any] | None = None) -> HttpResponse:
    """The problem outside of REST framework."""
    document = problem(code, details=details)
    headers = _retry_after(document)
    return JsonResponse(document, status=document["status"], headers=headers, content_type=CONTENT_TYPE)


def is_api(request: HttpRequest) -> bool:
    """Whether the answer has to be a problem, and no page."""
    return request.path.startswith(("/api/", "/ingest/"))


@csrf_exempt
def api_not_found(request: HttpRequest, **_: Any) -> HttpResponse:
    """Answers every path under /api/ that nothing else does."""
    return problem_response(ErrorCode.NOT_FOUND)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return problem_response(ErrorCode.VALIDATION_ERROR) if is_api(request) else defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return problem_response(ErrorCode.FORBIDDEN) if is_api(request) else defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if is_api(request):
        return problem_response(ErrorCode.NOT_FOUND)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, called while the exception is being handled."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    if is_api(request):
        return problem_response(ErrorCode.UNAVAILABLE if away else ErrorCode.INTERNAL_ERROR)
    return defaults.server_error(request)
