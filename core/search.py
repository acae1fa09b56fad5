"""Finding by words and their beginnings, with the same meaning on both engines."""

import re
import unicodedata
from typing import Any

from sqlalchemy import Select, column, func, literal_column, select, table, text

from core.work import Work
from db.triggers import words_expression

Rows = Select[*tuple[Any, ...]]
MOST_WORDS = 8


def search_words(said: str) -> list[str]:
    """The words of a search: runs of letters and digits, lower case; each matches words that begin with it."""
    return _words(said)[:MOST_WORDS]


def matching_ids(work: Work, which: str, words: list[str], within: str | None = None) -> Rows:
    """Ids of the rows of a searched table in which every word is found, as a select; `within` names one column."""
    if work.on_sqlite:
        found = table(f"{which}_words", column("rowid"))
        asked = " ".join(f'"{word}"*' for word in words)
        asked = f"{within} : ({asked})" if within else asked
        return select(found.c.rowid).where(text(f"{which}_words MATCH :{which}_asked").bindparams(
            **{f"{which}_asked": asked}
        ))
    searched = table(which, column("id"))
    asked = " & ".join(f"{word}:*" for word in words)
    query = func.to_tsquery("simple", asked)
    matching = select(searched.c.id).where(literal_column(words_expression(which)).op("@@")(query))
    if within:
        matching = matching.where(func.portal_words(func.coalesce(literal_column(within), "")).op("@@")(query))
    return matching


def fits(words: list[str], *texts: str | None) -> bool:
    """Whether each word begins some word of these texts: the same search over a short list at hand."""
    known = [one for said in texts if said for one in _words(said)]
    return all(any(one.startswith(word) for one in known) for word in words)


def _words(said: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFC", said).lower())
