"""HTTP beside the screens: the gate before everything, sign-in pages, health, downloads, calendars."""
