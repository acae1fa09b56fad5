"""The figures of utilisation counted again with pandas, from the bare tables and the words of the definitions alone."""

import json
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import pandas as pd
from sqlalchemy import Engine, text

Counted = dict[tuple[str, str], tuple[int, int, int]]
"""Minutes available, booked and delivered by name and week; weeks without any are left out."""


Tables = dict[str, pd.DataFrame]


def tables_of(engine: Engine) -> Tables:
    """What the tables say."""
    with engine.connect() as connection:
        return {
            name: pd.read_sql(text(f"SELECT * FROM {name}"), connection) for name in (
                "programme", "person", "role_grant", "session", "participation", "weekly_window", "dated_window",
                "time_off", "closure")
        }


def recount(tables: Tables, programme_id: int, first: date, last: date) -> Counted:
    """The whole ISO weeks from one day to another, for every practitioner and everybody who led something."""
    return _Recount(tables, programme_id, first, last).figures()


class _Recount:
    def __init__(self, tables: Tables, programme_id: int, first: date, last: date) -> None:
        self.tables = tables
        programme = tables["programme"].set_index("id").loc[programme_id]
        self.zone = ZoneInfo(programme.zone)
        policy = programme.policy if isinstance(programme.policy, dict) else json.loads(programme.policy)
        self.open_hours, self.country = policy["open_hours"], policy.get("holidays_country")
        self.region = policy.get("holidays_region")
        self.here = {
            name: frame[frame.programme_id == programme_id] for name, frame in tables.items() if "programme_id" in frame
        }
        self.days = [first - timedelta(days=first.weekday()) + timedelta(days=n)
                     for n in range((last - first).days + first.weekday() + 7 - last.weekday())]
        since, until = self.instant(self.days[0], 0, self.zone), self.instant(self.days[-1], 1440, self.zone)
        self.cells = pd.date_range(since, until, freq="5min", inclusive="left")

    @staticmethod
    def instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
        local = datetime.combine(day, time()) + timedelta(minutes=minute)
        return local.replace(tzinfo=zone).astimezone(UTC)

    def marked(self, spans: list[tuple[datetime, datetime]]) -> Any:
        """Cells that any of these touches."""
        found = pd.Series(False, self.cells)
        for start, end in spans:
            if pd.Timestamp(start) < self.cells[-1] + pd.Timedelta("5min"):
                first = self.cells.searchsorted(pd.Timestamp(start), side="right") - 1
                found.iloc[max(0, first):self.cells.searchsorted(pd.Timestamp(end))] = True
        return found

    def windows(self, weekly: pd.DataFrame, dated: pd.DataFrame) -> Any:
        spans = []
        for row in dated.dropna(subset=["from_minute"]).itertuples():
            day, zone = _day(row.day), ZoneInfo(row.zone)
            spans.append((self.instant(day, int(row.from_minute), zone),
                          self.instant(day, int(row.until_minute), zone)))
        instead = {_day(day) for day in dated.day}
        for row in weekly.itertuples():
            zone = ZoneInfo(row.zone)
            for day in (self.days[0] - timedelta(days=2) + timedelta(days=n) for n in range(len(self.days) + 4)):
                ended = pd.notna(row.until_day) and day > _day(row.until_day)
                if day.weekday() == row.weekday and day >= _day(row.from_day) and not ended and day not in instead:
                    spans.append((self.instant(day, row.from_minute, zone), self.instant(day, row.until_minute, zone)))
        return self.marked(spans)

    def house(self) -> Any:
        spans = []
        for day in self.days:
            hours = self.open_hours[day.weekday()]
            shut = any(_day(row.first_day) <= day <= _day(row.last_day) for row in self.here["closure"].itertuples())
            if self.country:
                shut |= day in _holidays(self.country, self.region, day.year)
            if hours and not shut:
                spans.append((self.instant(day, hours[0], self.zone), self.instant(day, hours[1], self.zone)))
        return self.marked(spans)

    def figures(self) -> Counted:
        people = self.tables["person"].set_index("id")
        granted = self.here["role_grant"]
        leaders = [
            id_ for id_ in granted[granted.role == "practitioner"].person_id if pd.isna(people.loc[id_].disabled_at)
        ]
        house, parts = self.house(), []
        weekly, dated, off = self.here["weekly_window"], self.here["dated_window"], self.tables["time_off"]
        for id_ in leaders:
            mine, other = weekly[weekly.person_id == id_], dated[dated.person_id == id_]
            bits = self.windows(mine[mine.timetable_id.isna()], other[other.timetable_id.isna()])
            for own in {*mine.timetable_id.dropna(), *other.timetable_id.dropna()}:
                bits |= self.windows(mine[mine.timetable_id == own], other[other.timetable_id == own])
            away = [(_instant(row.starts_at), _instant(row.ends_at)) for row in off[off.person_id == id_].itertuples()]
            bits &= house & ~self.marked(away)
            parts.append(pd.DataFrame({"person": id_, "at": bits.index[bits], "available": 5}))
        held = self.tables["participation"]
        actual = held[held.outcome == "attended"].groupby("session_id").actual_minutes.max()
        for row in self.here["session"].dropna(subset=["starts_at", "practitioner_id"]).itertuples():
            if pd.isna(row.cancelled_at):
                start, end = _instant(row.starts_at), _instant(row.ends_at)
                parts.append(_minutes(row.practitioner_id, start, end, "booked"))
                if row.attended > 0:
                    long = actual.get(row.id)
                    until = end if long is None or pd.isna(long) else start + timedelta(minutes=int(long))
                    parts.append(_minutes(row.practitioner_id, start, until, "delivered"))
        if not parts:
            return {}
        every = pd.concat(parts)
        local = every["at"].dt.tz_convert(self.zone).dt
        every["week"] = [f"{year}-W{week:02}" for year, week in zip(
            local.isocalendar().year, local.isocalendar().week, strict=True)]
        every = every[(local.date >= self.days[0]) & (local.date <= self.days[-1])]
        sums = every.reindex(columns=["person", "week", "available", "booked", "delivered"]).fillna(0).groupby(
            ["person", "week"]).sum()
        return {(people.loc[person]["name"], week): tuple(map(int, row))
                for (person, week), row in zip(sums.index, sums.to_numpy(), strict=True)}


def _minutes(person: int, start: datetime, end: datetime, what: str) -> pd.DataFrame:
    minutes = pd.date_range(start, end, freq="1min", inclusive="left")
    return pd.DataFrame({"person": int(person), "at": minutes, what: 1})


@cache
def _holidays(country: str, region: str | None, year: int) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=region, years=year)


def _day(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime.fromtimestamp(int(value), UTC)
