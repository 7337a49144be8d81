"""Another provider, which shares no code with the first: signing in and going on work there, too."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.oidc.conftest import PUBLIC_URL, Company, add_directory
from tests.provider import running


class Second:
    """A directory of the second provider, as ``add_directory`` takes it."""

    def __init__(self, base: str, tid: str, oid: str) -> None:
        self.authority, self.tid, self.oid = base, tid, oid
        self.graph = f"{base}/graph"
        self.client_id = "a-client-of-the-tests"


@pytest.fixture(scope="module")
def second() -> Iterator[Second]:
    with running("second.mjs") as told:
        yield Second(**json.loads(told))


def test_signing_in_and_going_on(company: Company, second: Second) -> None:
    add_directory(company, second)  # type: ignore[arg-type]  # it has what is needed of one
    browser = company.browser()
    begun = browser.begin(f"/login?directory={second.tid}")
    assert begun.location.startswith(f"{second.authority}/{second.tid}/v2.0/authorize?")
    done = browser.follow(browser.get(begun.location), f"{PUBLIC_URL}/me")
    assert done.location == f"{PUBLIC_URL}/me"
    about = browser.me().json()
    assert about["user"]["externalId"] == second.oid
    assert about["roles"] == ["employee"]
    assert browser.post("/auth/refresh").json()["session"]["confirmed"] is True
