"""Notices: what the portal tells a person."""
