"""The client's own manners on the wire."""

import pytest

from conformance.wire import Unreachable, Wire
from tests.conformance.fake import Fake


def test_query_is_form_encoded_and_only_bodies_have_a_content_type() -> None:
    with Fake() as fake, Wire(fake.url + "/?aadOptscim062020", "secret") as wire:
        wire.request("GET", "/Users", query={"filter": 'userName eq "a b@x"'})
        wire.request("POST", "/Users", {"userName": "Ü"})
        (_, got, headers, _), (_, _, posted, body) = fake.seen
    assert got == "/scim/v2/Users?filter=userName+eq+%22a+b%40x%22"
    assert "Content-Type" not in headers
    assert headers["Authorization"] == "Bearer secret"
    assert posted["Content-Type"] == "application/scim+json; charset=utf-8"
    assert body == {"userName": "Ü"}


def test_given_headers_win_whatever_their_case() -> None:
    with Fake() as fake, Wire(fake.url, "secret", user_agent=None) as wire:
        wire.request("POST", "/Users", raw_body='{"userName":"a"}', headers={"authorization": "Basic x", "content-type": "text/plain"})
        [(_, _, headers, _)] = fake.seen
    assert {name.lower(): value for name, value in headers.items() if name.lower() in ("authorization", "content-type", "user-agent")} == {
        "authorization": "Basic x",
        "content-type": "text/plain",
    }


def test_refused_connection_was_not_sent() -> None:
    with pytest.raises(Unreachable) as caught, Wire("http://127.0.0.1:9", "x") as wire:
        wire.request("POST", "/Users", {})
    assert not caught.value.sent


def test_lost_answer_to_a_write_is_not_repeated_but_reported() -> None:
    with Fake(lambda method, path, number: "after" if method == "POST" else None) as fake, Wire(fake.url, "x") as wire:
        assert wire.request("GET", "/Users").status == 200
        with pytest.raises(Unreachable) as caught:
            wire.request("POST", "/Users", {"userName": "a"})
        assert caught.value.sent
        assert len(fake.users) == 1
        assert wire.request("GET", "/Users").json()["totalResults"] == 1


def test_time_out_is_unreachable() -> None:
    with Fake(lambda method, path, number: "slow") as fake:
        wire = Wire(fake.url, "x", timeout=0.1)
        with wire, pytest.raises(Unreachable, match="timed out"):
            wire.request("GET", "/Users")


def test_idle_connection_that_the_server_closed_is_replaced() -> None:
    with Fake() as fake, Wire(fake.url, "x") as wire:
        assert wire.request("GET", "/Users").ok
        fake.stop()
        fake.start()
        assert wire.request("POST", "/Users", {"userName": "a"}).status == 201


@pytest.mark.parametrize(
    ("url", "below"),
    [
        ("http://h:1/scim/v2/Users/7", "/Users/7"),
        ("HTTP://H:1/scim/v2/Users?count=1", "/Users?count=1"),
        ("/scim/v2/Groups/7", "/Groups/7"),
        ("http://other/scim/v2/Users/7", None),
        ("http://h:1/scim/v22/Users/7", None),
    ],
)
def test_below(url: str, below: str | None) -> None:
    assert Wire("http://h:1/scim/v2/", None).below(url) == below


@pytest.mark.parametrize("url", ["", "h/scim", "ftp://h/x", "http://"])
def test_base_url_must_be_one(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        Wire(url, None)
