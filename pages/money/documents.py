"""Every invoice, credit note and payout statement: how each stands, and marking many as paid."""

from ui import documents, here, runtime

with runtime.reading() as work:
    documents.screen(work, here.programme(work))
