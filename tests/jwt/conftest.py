from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.site import Site, site


@pytest.fixture
def asked() -> Iterator[Site]:
    with site() as running:
        yield running
