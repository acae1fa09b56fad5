"""What is in favour of a payer or a practitioner is set off against what is open."""

from db.migrations.tables import more, number

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The other document of two that are set off."""
    more("payment", [number("against_id", empty=True)], {"another": "against_id <> document_id"},
         {"against_id": "document"})
