"""The README says what is true."""

from core.settings import HOME, Settings


def test_every_setting_stands_in_the_table() -> None:
    said = (HOME / "README.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"| `PORTAL_{name.upper()}` | {field.description} |" in said
