"""Standing pairings of a practitioner with a learner or a team, and how many of their agreed hours are left."""
