"""People: who is known, who is tied to whom, who is in which team."""
