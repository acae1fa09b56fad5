"""Forms that lose nothing: a key that makes a double click one act, and a sentence beside each field."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core.errors import Invalid, Refusal
from core.sessions.rules import PersonBusy, StaleForm
from core.work import Saved
from ui import runtime
from ui.format import plain

_ASKED_BY = {
    "who": ("with", "way", "learner", "team"), "duration": ("minutes",), "timetable": ("timetable", "timetable_id"),
    "courses": ("courses", "course_ids"), "adult": ("other",), "learner": ("learner", "other"),
    "shift": ("days", "hours"), "off_job_minutes": ("hours",),
}
"""The fields that a problem is about, where they have other names than it."""


class Form:
    """The state of one form in one browser tab. What was typed stays in its widgets, named by `field`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = self._state()

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = st.session_state.setdefault(f"form:{self.name}", {})
        state.setdefault("key", secrets.token_urlsafe(12))
        return state

    @property
    def key(self) -> str:
        """One act, however often it is sent."""
        return str(self.state["key"])

    def field(self, name: str) -> str:
        """The widget key of a field."""
        return f"{self.name}:{name}"

    def value(self, name: str, default: Any = None) -> Any:
        """What a field holds."""
        return st.session_state.get(self.field(name), default)

    def preset(self, name: str, value: Any) -> None:
        """Fill a field in, unless it already holds something."""
        st.session_state.setdefault(self.field(name), value)
        self.state.setdefault("preset", {}).setdefault(name, value)

    @property
    def touched(self) -> bool:
        """Whether a field that was filled in holds something else by now."""
        return any(self.value(name, value) != value for name, value in self.state.get("preset", {}).items())

    def begun_from(self, version: int) -> None:
        """Carry the version that the form is filled in from: of a form left untouched the newest, else its own."""
        if self.state.get("version", version) != version and not self.touched:
            self.clear()
            self.state = self._state()
        self.state.setdefault("version", version)

    def opened_with(self, opening: str, values: Mapping[str, Any]) -> None:
        """Fill in what is stored as this form opens, and remember it: what others change meanwhile stays theirs."""
        if self.state.get("opening") != opening:
            self.state.update(opening=opening, opened=dict(values))
        for name, value in self.state["opened"].items():
            self.preset(name, value)

    def changed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of these values that differ from what the form was opened with."""
        opened = self.opened or {}
        return {name: value for name, value in values.items() if name not in opened or value != opened[name]}

    @property
    def opened(self) -> dict[str, Any] | None:
        """What the form was opened with, where it was filled in with what is stored."""
        return self.state.get("opened")

    def problem(self, *names: str) -> None:
        """The sentence beside a field, straight under it, until the field is changed; nothing where it is well."""
        for name in names:
            if self._mended(name):
                self.state.get("problems", {}).pop(name, None)
            if said := self.state.get("problems", {}).get(name):
                st.markdown(f":red[:material/error: {plain(said)}]")

    def refused(self) -> Refusal | None:
        """Why the form as a whole was refused the last time."""
        return self.state.get("refusal")

    def show_refusal(self) -> None:
        """The refusal as a sentence, and problems of fields that this form does not show."""
        refusal = self.refused()
        if refusal is not None and not isinstance(refusal, Invalid):
            st.error(plain(refusal.sentence), icon=":material/block:")

    def clear(self) -> None:
        """Forget everything typed: the next form is a new act."""
        for known in self._keys():
            del st.session_state[known]
        st.session_state.pop(f"form:{self.name}", None)

    def submit(self, command: Callable[..., Any], *args: Any, **kw: Any) -> Saved | None:
        """Run the command as one act. A refusal is kept to be shown in the form, and nothing typed is lost."""
        self.state.pop("problems", None)
        self.state.pop("refusal", None)
        try:
            return runtime.commit(command, *args, key=self.key, **kw)
        except Invalid as refusal:
            self.fail(refusal.problems, refusal)
        except Refusal as refusal:
            self.state["refusal"] = refusal
        return None

    def send(self, command: Callable[..., Any], *args: Any, **kw: Any) -> None:
        """`submit` from a button's callback, so that problems stand beside their fields at once; then ask `done`."""
        self.state["saved"] = self.submit(command, *args, **kw)

    def done(self) -> Saved | None:
        """What `send` saved, told once; the form is a new one then."""
        saved: Saved | None = self.state.pop("saved", None)
        if saved is not None:
            self.clear()
        return saved

    def fail(self, problems: dict[str, str], refusal: Invalid | None = None) -> None:
        """Problems that the screen itself found, such as a text where a number is asked for."""
        self.state["refusal"] = refusal or Invalid(problems)
        self.holds_now(problems)

    def holds_now(self, problems: dict[str, str]) -> None:
        """Say what is wrong with what the fields hold at this moment."""
        self.state["problems"] = problems
        self.state["sent"] = {key: self._print(key) for key in self._keys()}

    def _keys(self) -> list[str]:
        return [str(key) for key in st.session_state if str(key).startswith(f"{self.name}:")]

    def _print(self, key: str) -> int:
        """Tells whether a field still holds the same, without keeping what it holds: that may be a password."""
        return hash(repr(st.session_state.get(key)))

    def _mended(self, name: str) -> bool:
        sent = self.state.get("sent", {})
        starts = tuple(self.field(each) for each in _ASKED_BY.get(name, (name,)))
        return any(key.startswith(starts) and self._print(key) != held for key, held in sent.items())

    @property
    def busy(self) -> PersonBusy | None:
        """The clash that stood against it, with the nearest free times."""
        refusal = self.refused()
        return refusal if isinstance(refusal, PersonBusy) else None

    @property
    def stale(self) -> StaleForm | None:
        """Somebody else's version, where it was changed meanwhile."""
        refusal = self.refused()
        return refusal if isinstance(refusal, StaleForm) else None
