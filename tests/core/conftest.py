"""The small world that most tests of the core start from."""

import pytest
from sqlalchemy import Engine

from tests.conftest import Databases
from tests.factories import World


@pytest.fixture
def world(engine: Engine, databases: Databases) -> World:
    """A coaching programme in which nothing is required and clients do not book; see `tests/factories.py`."""
    return databases.world(engine)
