"""What sessions cost and earn: rates, the ledger, documents, and the figures drawn from them."""
