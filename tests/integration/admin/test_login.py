"""Sign in, sign out, and the lock after five failures."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.integration.people import user_make

GOOD = {"username": "dora", "password": "a good password"}
BAD = {"username": "dora", "password": "a bad password"}


@pytest.fixture
def dora(db: None) -> User:
    return user_make("dora", is_staff=True, is_superuser=True)


@pytest.mark.parametrize("address", ["/login/", "/admin/login/"])
def test_a_good_password_lets_in(dora: User, address: str) -> None:
    client = Client()
    assert client.post(address, GOOD).status_code == 302
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("address", ["/login/", "/admin/login/"])
def test_five_failures_lock_the_name_at_that_address_even_for_the_good_password(dora: User, address: str) -> None:
    client = Client()
    statuses = [client.post(address, BAD).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
    assert client.post(address, GOOD).status_code == 429
    assert client.get("/admin/").status_code == 302


def test_a_lock_holds_for_nobody_else(dora: User) -> None:
    user_make("omar", is_staff=True)
    for _ in range(5):
        Client().post("/login/", BAD)
    assert Client().post("/login/", {**GOOD, "username": "omar"}).status_code == 302
    assert Client(REMOTE_ADDR="198.51.100.7").post("/login/", GOOD).status_code == 302


def test_whoever_signs_out_is_out(dora: User) -> None:
    client = Client()
    client.post("/login/", GOOD)
    assert client.post("/logout/").status_code == 302
    assert client.get("/admin/").status_code == 302


def test_an_inactive_user_does_not_come_in(dora: User) -> None:
    User.objects.update(is_active=False)
    assert Client().post("/login/", GOOD).status_code == 200


def test_the_addresses_of_one_ipv6_network_are_locked_as_one(dora: User) -> None:
    addresses = [f"2001:db8:0:5::{n}" for n in range(5)]
    statuses = [Client(REMOTE_ADDR=address).post("/login/", BAD).status_code for address in addresses]
    assert statuses == [200, 200, 200, 200, 429]
    assert Client(REMOTE_ADDR="2001:db8:0:5:ffff::1").post("/login/", GOOD).status_code == 429
    assert Client(REMOTE_ADDR="2001:db8:0:6::1").post("/login/", GOOD).status_code == 302
