"""One portal for the tests that only look at it from outside."""

from collections.abc import Iterator

import pytest

from tests.portal import Portal


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A running portal on a database of its own; tests add people of their own."""
    with Portal(tmp_path_factory.mktemp("portal")) as running:
        yield running
