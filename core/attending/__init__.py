"""What happens around a session's time: attendance, notes after it, who leaves, and what is still owed."""
