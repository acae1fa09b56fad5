"""Tables, triggers and the engine: the database derives what it can and has the last word."""
