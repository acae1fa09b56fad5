"""Courses, rooms, timetables and teams: what sessions are linked to."""
