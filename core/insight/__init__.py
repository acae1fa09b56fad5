"""The figures of a programme: what they mean, and what the tables say."""
