"""History: what changed, in words, and undoing it."""
