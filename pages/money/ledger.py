"""Every line of what payers owe and practitioners earn, and why each has its amount."""

from ui import here, ledger, runtime

with runtime.reading() as work:
    ledger.screen(work, here.programme(work))
