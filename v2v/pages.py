"""What the pages of all apps share. It imports no app."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

View = Callable[..., HttpResponseBase]


def is_part(request: HttpRequest) -> bool:
    """Whether HTMX asks, which wants a part of a page; else the browser does, which wants a whole one."""
    return request.headers.get("HX-Request") == "true"


def page(view: View) -> View:
    """A whole page, to read, of which HTMX may pick a part. Without a session it leads to the login and back."""
    whole = login_required(view)

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if is_part(request) and not request.user.is_authenticated:
            return HttpResponseClientRedirect(resolve_url(settings.LOGIN_URL))
        return whole(request, *args, **kwargs)

    return require_safe(never_cache(guarded))
