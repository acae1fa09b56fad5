"""Lists that a person keeps by name."""
