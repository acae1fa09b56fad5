"""The small world that most tests of the core start from."""

import pytest
from sqlalchemy import Engine

from tests.factories import World, a_world


@pytest.fixture
def world(engine: Engine) -> World:
    """A coaching programme in which nothing is required and clients do not book; see `tests/factories.py`."""
    return a_world(engine)
