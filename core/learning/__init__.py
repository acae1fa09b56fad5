"""What learners are enrolled in, how far they are, and what proves it."""
