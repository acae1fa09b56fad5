"""Every screen, driven with AppTest for every persona."""
