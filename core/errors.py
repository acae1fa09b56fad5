"""Refusals: sentences that a person can act on. Anything else that is raised is a bug."""

from collections.abc import Mapping


class Refusal(Exception):
    """An act that was refused; nothing of it was done."""

    @property
    def sentence(self) -> str:
        """What to tell the person."""
        return str(self)


class NotAllowed(Refusal):
    """The actor may not do this."""


class NotFound(Refusal):
    """It does not exist, or not for this actor (X6)."""

    def __init__(self, sentence: str = "This does not exist, or you may not see it.") -> None:
        super().__init__(sentence)


class Invalid(Refusal):
    """What was given cannot be taken: one sentence for each field concerned. `item` counts from 0 among many."""

    def __init__(self, problems: Mapping[str, str], item: int = 0) -> None:
        self.problems = dict(problems)
        self.item = item
        super().__init__(" ".join(self.problems.values()))


class Conflict(Refusal):
    """Somebody, something or somewhen stands against it."""
