"""What the pages of all apps share. It imports no app."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """A whole page, to read, of which HTMX may pick a part. Without a session it leads to the login and back."""
    to_part, to_browser = _signed_in(view), login_required(view)

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        return (to_part if is_part(request) else to_browser)(request, *args, **kwargs)

    return require_safe(never_cache(guarded))


def fragment(view: View) -> View:
    """A part of a page, to read. Whoever's session is over is sent to the login with the whole page, not the part."""
    return require_safe(never_cache(_signed_in(view)))


def form_action(view: View) -> View:
    """What a form does, sent by HTMX or by the browser alone; without a session as for a `fragment`."""
    return require_POST(never_cache(_signed_in(view)))


def is_part(request: HttpRequest) -> bool:
    """Whether HTMX asks, which wants a part of a page; else the browser does, which wants a whole one."""
    return request.headers.get("HX-Request") == "true"


def _signed_in(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.method == "POST" and not is_part(request):
            return redirect_to_login("/")
        return HttpResponseClientRedirect(resolve_url(settings.LOGIN_URL))

    return guarded
