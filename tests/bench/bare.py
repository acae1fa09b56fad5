"""The reference: hand-written SQL on the driver, returning the very rows that the portal returns."""

import json
from typing import Any

from sqlalchemy import Engine

LINE = """
SELECT s.id, s.number, s.status, s.starts_at, s.ends_at, p.name, t.name, t.idea, tt.name, s.type, s.method, r.name,
 s.location, s.description
FROM session s LEFT JOIN person p ON p.id = s.practitioner_id LEFT JOIN team t ON t.id = s.team_id
LEFT JOIN timetable tt ON tt.id = s.timetable_id LEFT JOIN room r ON r.id = s.room_id
"""
LEARNERS = """
SELECT a.session_id, p.name FROM participation a JOIN person p ON p.id = a.learner_id
WHERE a.session_id {ids} ORDER BY p.name, p.id"""
COURSES = """
SELECT a.session_id, c.name FROM session_course a JOIN course c ON c.id = a.course_id
WHERE a.session_id {ids} ORDER BY c.name"""
COUNT = "SELECT count(*) FROM (SELECT 1 FROM session s WHERE {where} LIMIT 10001) x"

FIRST_LEARNER = (
    "(SELECT min(p.name) FROM participation a JOIN person p ON p.id = a.learner_id WHERE a.session_id = s.id)"
)
FIRST_COURSE = (
    "(SELECT min(c.name) FROM session_course a JOIN course c ON c.id = a.course_id WHERE a.session_id = s.id)"
)
BY_TIME = ("s.starts_at", "s.id")
SORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "status": ("", ("s.status", *BY_TIME)), "time": ("", BY_TIME), "number": ("", ("s.number",)),
    "description": ("", ("s.description", "s.id")), "type": ("", ("s.type", *BY_TIME)),
    "practitioner": ("p.name", BY_TIME), "timetable": ("tt.name", BY_TIME), "idea": ("t.idea", ("s.id",)),
    "team": (f"coalesce(t.name, {FIRST_LEARNER})", ("s.id",)), "course": (FIRST_COURSE, ("s.id",)),
}
"""A name, of which empty ones come last, and what orders those that are alike."""


class Bare:
    """One connection of the driver itself."""

    def __init__(self, engine: Engine) -> None:
        self.on_sqlite = engine.dialect.name == "sqlite"
        self.connection: Any = engine.raw_connection().driver_connection
        if not self.on_sqlite:
            self.connection.autocommit = True

    def rows(self, sql: str, given: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; `?` stands for a value on both engines."""
        if not self.on_sqlite:
            sql = sql.replace("?", "%s")
        return self.connection.execute(sql, given).fetchall()  # type: ignore[no-any-return]  # either driver

    def page(
        self, where: str, given: tuple[Any, ...], sort: str = "time", down: bool = True, page: int = 1
    ) -> list[tuple[Any, ...]]:
        """One page of the list: its lines, everybody in them, their courses, and how many there are in all."""
        way = "DESC NULLS LAST" if down else "ASC NULLS FIRST"
        name, keys = SORTS[sort]
        named = f"{name} IS NULL, {name} {way}, " if name else ""
        order = f"ORDER BY {named}{', '.join(f'{key} {way}' for key in keys)}"
        offset = (page - 1) * 50
        if page > 1:
            inner = f"SELECT s.id FROM session s WHERE {where} {order} LIMIT 50 OFFSET {offset}"
            lines = self.rows(f"{LINE} WHERE s.id IN ({inner}) {order}", given)
        else:
            lines = self.rows(f"{LINE} WHERE {where} {order} LIMIT 50", given)
        self.rows(COUNT.format(where=where), given)
        return self._whole(lines)

    def _whole(self, lines: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        ids = [line[0] for line in lines]
        if self.on_sqlite:
            among, given = "IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
        else:
            among, given = "= ANY(?)", (ids,)  # type: ignore[assignment]  # a list here, text there
        learners: dict[int, list[str]] = {}
        for session, name in self.rows(LEARNERS.format(ids=among), given):
            learners.setdefault(session, []).append(name)
        courses: dict[int, list[str]] = {}
        for session, name in self.rows(COURSES.format(ids=among), given):
            courses.setdefault(session, []).append(name)
        return [
            (*line, tuple(learners.get(line[0], ())), tuple(courses.get(line[0], ()))) for line in lines
        ]
