"""The calm pages that a stranger sees: plain HTML, light and dark, without any script."""

from html import escape

from starlette.responses import HTMLResponse

_STYLE = """
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #1c2733; --quiet: #566372; --line: #c9d1da;
  --accent: #1f5f8b; --accent-ink: #fff; --wrong: #a32334; --wrong-ground: #fbeef0; --good-ground: #e9f3ee; }
@media (prefers-color-scheme: dark) { :root { --ground: #14191f; --card: #1d242c; --ink: #e6eaee; --quiet: #a3afbb;
  --line: #45515e; --accent: #7db8dd; --accent-ink: #0d1b26; --wrong: #ff9aa5; --wrong-ground: #3a2227;
  --good-ground: #1c3329; } }
@font-face { font-family: "Source Sans"; src: url("/static/media/FONT") format("woff2"); font-weight: 200 900; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center;
  padding: clamp(1.5rem, 12vh, 8rem) 1rem 2rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 "Source Sans", system-ui, sans-serif; }
main { width: 100%; max-width: 25rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: clamp(1.25rem, 6vw, 2rem); }
.brand { margin: 0 0 1.25rem; font-weight: 600; color: var(--quiet); letter-spacing: .01em; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; font-weight: 600; }
h2 { margin: 1.75rem 0 .5rem; padding-top: 1.25rem; border-top: 1px solid var(--line); font-size: 1rem; }
p { margin: 0 0 1rem; }
.quiet { color: var(--quiet); }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
input { width: 100%; padding: .6rem .75rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; }
input[aria-invalid] { border-color: var(--wrong); }
.hint { margin: .25rem 0 0; font-size: .9rem; color: var(--quiet); }
.wrong { margin: .35rem 0 0; font-size: .95rem; color: var(--wrong); }
.notice { margin: 1rem 0; padding: .7rem .85rem; border-radius: .5rem; background: var(--good-ground); }
.notice.bad { background: var(--wrong-ground); color: var(--wrong); }
button { width: 100%; margin: 1.5rem 0 0; padding: .65rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--accent-ink); background: var(--accent); border: 1px solid var(--accent); border-radius: .5rem; }
a { color: var(--accent); }
.below { margin: 1.25rem 0 0; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.demo { display: grid; gap: .5rem; }
.demo button { margin: 0; display: flex; flex-direction: column; text-align: left; color: var(--ink);
  background: transparent; border-color: var(--line); font-weight: 600; line-height: 1.35; }
.demo button span { font-weight: 400; font-size: .9rem; color: var(--quiet); }
.demo button:hover { border-color: var(--accent); }
"""


def page(title: str, body: str, *, font: str = "", status: int = 200) -> HTMLResponse:
    """A whole page with one heading. `body` is HTML, its values already escaped."""
    style = _STYLE.replace("FONT", font)
    return HTMLResponse(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{escape(title)} · Portal</title>'
        f'<link rel="icon" href="/favicon.png"><style>{style}</style></head><body><main>'
        f'<p class="brand">Portal</p><h1>{escape(title)}</h1>{body}</main></body></html>',
        status, {"Cache-Control": "no-store"},
    )


def notice(sentence: str, *, bad: bool = False) -> str:
    """A sentence above the form; one that went wrong is read out at once."""
    return f'<p class="notice{" bad" * bad}" role="{"alert" if bad else "status"}">{escape(sentence)}</p>'


def field(name: str, label: str, *, kind: str = "text", value: str = "", auto: str = "", hint: str = "",
          wrong: str = "", most: int = 254, focus: bool = False) -> str:
    """A labelled input with its hint, and what is wrong with it right beside."""
    told = [f"{name}-hint"] * bool(hint) + [f"{name}-wrong"] * bool(wrong)
    attributes = [f'id="{name}"', f'name="{name}"', f'type="{kind}"', f'maxlength="{most}"', "required"]
    attributes += [f'value="{escape(value)}"'] * bool(value) + [f'autocomplete="{auto}"'] * bool(auto)
    attributes += [f'aria-describedby="{" ".join(told)}"'] * bool(told)
    attributes += ['aria-invalid="true"'] * bool(wrong) + ["autofocus"] * focus
    said = f'<p class="hint" id="{name}-hint">{escape(hint)}</p>' if hint else ""
    said += f'<p class="wrong" id="{name}-wrong">{escape(wrong)}</p>' if wrong else ""
    return f'<label for="{name}">{escape(label)}</label><input {" ".join(attributes)}>{said}'


def form(action: str, inside: str, button: str, *, hidden: str = "", novalidate: bool = True) -> str:
    """A form that posts. The portal's own sentences are shown rather than the browser's."""
    return (
        f'<form method="post" action="{escape(action)}"{" novalidate" * novalidate}>'
        f'{f"<input type=hidden name=next value={chr(34)}{escape(hidden)}{chr(34)}>" if hidden else ""}'
        f'{inside}<button type="submit">{escape(button)}</button></form>'
    )
