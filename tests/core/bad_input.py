"""What hostile or careless hands type into a field of text."""

EMOJI = "Zoë 👩‍👩‍👧 Ωmega"
HTML = "<script>alert('x')</script> & <b>bold</b>"
CONTROL = "one\x00two"
TURNED = "safe\u202egnp.exe"
SURROGATE = "lone \ud800"
BLANK = ("", "   ", "\u200b\u200d", None)
WRONG_TYPE = (7, ["Sara"], {"name": "Sara"}, True)
