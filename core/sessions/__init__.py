"""Sessions: the list, booking, changing, outcomes."""
