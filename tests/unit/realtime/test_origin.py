"""Who may open a socket, by what the upgrade says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2v.realtime.socket import bearer_of, origin_is_allowed

ALLOWED = frozenset({"https://console.example", "http://localhost:3000"})


def is_allowed(origin: str | None, *, host: str = "v2v.example", scheme: str = "wss", needs_one: bool = False) -> bool:
    headers = {b"host": host} | ({} if origin is None else {b"origin": origin})
    return origin_is_allowed({"scheme": scheme}, headers, ALLOWED, needs_one=needs_one)


@pytest.mark.parametrize(
    "origin",
    [
        "https://v2v.example",
        "https://v2v.example:443",
        "https://V2V.Example",
        "https://console.example",
        "http://localhost:3000",
    ],
)
def test_its_own_pages_and_those_on_the_list_may(origin: str) -> None:
    assert is_allowed(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://v2v.example",
        "https://v2v.example:8443",
        "https://v2v.example.evil.example",
        "https://evil.example/https://v2v.example",
        "https://sub.console.example",
        "http://console.example",
        "https://localhost:3000",
        "http://localhost",
        "file://",
        "v2v.example",
        "https://",
        "https://[",
        "https://v2v.example:99999",
        "https://v2v.example:x",
    ],
)
def test_all_others_may_not(origin: str) -> None:
    assert not is_allowed(origin)


def test_a_device_has_no_origin_and_a_page_needs_one() -> None:
    assert is_allowed(None)
    assert not is_allowed(None, needs_one=True)


def test_scheme_and_port_of_the_server_count() -> None:
    assert is_allowed("http://127.0.0.1:8000", host="127.0.0.1:8000", scheme="ws")
    assert not is_allowed("https://127.0.0.1:8000", host="127.0.0.1:8000", scheme="ws")
    assert not is_allowed("http://127.0.0.1:8001", host="127.0.0.1:8000", scheme="ws")
    assert is_allowed("http://[::1]:8000", host="[::1]:8000", scheme="ws")


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_origin_and_no_host_make_it_raise(origin: str, host: str) -> None:
    is_allowed(origin, host=host)


@given(st.text(max_size=40).filter(lambda host: host.lower() != "v2v.example"))
def test_no_other_host_is_its_own(host: str) -> None:
    if is_allowed(f"https://{host}"):
        assert host.lower() in {"v2v.example:443", "v2v.example:", "v2v.example/", "console.example"}


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("BEARER a.b-c_d", "a.b-c_d"),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic abc", None),
        ("abc", None),
        ("", None),
    ],
)
def test_the_token_of_the_upgrade(header: str, token: str | None) -> None:
    assert bearer_of({b"authorization": header}) == token


def test_no_header_no_token() -> None:
    assert bearer_of({}) is None
