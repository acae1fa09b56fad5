"""A made-up portal to look at and to measure with: the same for the same seed and day."""

from core.demo.accounts import DEMO_ACCOUNTS, PASSWORD, DemoAccount
from core.demo.build import SEED, Summary, build

__all__ = ["DEMO_ACCOUNTS", "PASSWORD", "SEED", "DemoAccount", "Summary", "build"]
