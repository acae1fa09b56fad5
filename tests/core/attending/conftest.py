"""The tutoring programme with rates, from the tests about money."""

from tests.core.billing.conftest import office

__all__ = ["office"]
