"""What every request to the API passes through before REST framework."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from v2v.api.problems import is_api, problem_response
from v2v.api.throttles import client_network, limits
from v2v.protocol.decode import Refusal


class AddressThrottle:
    """Middleware that limits, by address, requests to the API of which nobody knows whose they are.

    REST framework asks its own throttles only after it has refused whoever is nobody. Like an attempt to register, a
    request is counted before the look-up and given back when it turns out to be somebody's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response, or 429."""
        if not is_api(request):
            return self._get_response(request)
        key, per_minute = f"address:{client_network(request)}", settings.API_ANONYMOUS_PER_MINUTE
        try:
            limits.take(key, per_minute)
        except Refusal as refusal:
            return problem_response(refusal.code, details=refusal.details)
        response = self._get_response(request)
        # Behind a 5xx the database may be away, and with it the user.
        if response.status_code >= 500 or request.user.is_authenticated:
            limits.give_back(key, per_minute)
        return response
