"""What the portal does: an area a folder, each with rules (pure), queries (what may I see) and commands (verbs)."""
