"""Programmes: their policy, words and roles."""
