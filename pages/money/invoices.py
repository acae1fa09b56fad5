"""The invoices of whoever pays: what is open, and each as PDF."""

from ui import here, invoices, runtime

with runtime.reading() as work:
    invoices.screen(work, here.programme(work))
