"""The portal from a terminal: `python cli.py --help`."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, NoReturn
from zoneinfo import available_timezones

import typer

from core.access import commands, queries, rules
from core.database import the_engine
from core.demo import PASSWORD, SEED, build
from core.demo.series import book_the_example
from core.errors import Refusal
from core.settings import HOME, settings
from core.work import THE_PORTAL, commit, now_utc
from db import migrate
from db.words import Kind

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@cli.command("migrate")
def migrate_database() -> None:
    """Bring the database to the newest schema."""
    print(f"The database is at revision {migrate.migrate(the_engine())}.")


@cli.command()
def serve() -> None:
    """Open the portal, as `python app.py` does."""
    os.execv(sys.executable, [sys.executable, str(HOME / "app.py")])  # noqa: S606


@cli.command()
def run() -> None:
    """Open the portal; where there is nobody in it yet, with made-up people that one click signs in as."""
    engine = the_engine()
    migrate.migrate(engine)
    if not queries.has_people(engine) and any(_name(command) == "demo" for command in cli.registered_commands):
        print("Making up people and sessions …", flush=True)
        subprocess.run([sys.executable, str(HOME / "cli.py"), "demo"], check=True)  # noqa: S603
    people = queries.demo_accounts(engine) if settings().on_loopback else []
    print(f"\n  The portal: {settings().base_url}\n")
    if people:
        os.environ.setdefault("PORTAL_DEMO", "1")
        print("  Everybody here is made up. Sign in with one click as:")
        for who in people:
            print(f"    {who.name:<20} {who.about:<48} {who.email}")
    print("\n  Ctrl+C closes it.\n", flush=True)
    engine.dispose()
    serve()


@cli.command()
def init(
    name: Annotated[str, typer.Option(prompt="Your name")],
    email: Annotated[str, typer.Option(prompt="Your e-mail address")],
    programme: Annotated[str, typer.Option(prompt="Name of the first programme")],
    kind: Annotated[Kind, typer.Option(prompt="What kind of programme is it")],
    zone: Annotated[str, typer.Option(prompt="Its time zone, such as Europe/London")],
    currency: Annotated[str, typer.Option(prompt="Its currency, such as GBP")],
    password: Annotated[
        str, typer.Option(prompt="Your password (leave empty for a link)", hide_input=True, prompt_required=True)
    ] = "",
) -> None:
    """Make the first administrator of a new installation, with a first programme."""
    engine = the_engine()
    migrate.migrate(engine)
    if queries.has_people(engine):
        _stop("This portal has people already. Ask one of its admins for an invitation, or use `cli.py link`.")
    name, email, programme, currency = name.strip(), email.strip(), programme.strip(), currency.strip().upper()
    _check(name=name, email=email, programme=programme, zone=zone, currency=currency, password=password)
    hashed = rules.hash_password(password) if password else None
    person_id = _do(commands.set_up, name, email, hashed, programme, kind, zone, currency)
    print(f"{name} can sign in at {settings().base_url} as {email.lower()}.")
    if not password:
        _print_link(person_id, first=True)


@cli.command()
def link(email: Annotated[str, typer.Argument(help="whose link it is")]) -> None:
    """Print a single-use link by which somebody chooses a new password, for when no admin can."""
    person_id = queries.person_by_email(the_engine(), email)
    if person_id is None:
        _stop("Nobody here has that e-mail address.")
    _print_link(person_id, first=False)


@cli.command()
def demo(
    sessions: Annotated[int, typer.Option(help="how many sessions", min=200, max=5_000_000)] = 6000,
    seed: Annotated[int, typer.Option(help="another number makes other people")] = SEED,
    today: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="the day around which they live")] = None,
) -> None:
    """Fill an empty database with made-up people and sessions, to look at and to measure with."""
    engine = the_engine()
    migrate.migrate(engine)
    began = time.monotonic()
    try:
        day = (today or now_utc()).date()
        made = build(engine, sessions=sessions, seed=seed, today=day)
        book_the_example(engine, day)
    except Refusal as problem:
        _stop(problem.sentence)
    print(f"Made up {made.sentence} It took {time.monotonic() - began:.0f} seconds.")
    print(f"The demo accounts can also sign in with the password {PASSWORD}")


def _print_link(person_id: int, *, first: bool) -> None:
    token = rules.new_token()
    _do(commands.invite if first else commands.make_password_link, {person_id: token})
    print(f"This link works once, to choose a password:\n  {rules.link_to(settings().base_url, token)}")


def _name(command: typer.models.CommandInfo) -> str:
    return command.name or (command.callback.__name__ if command.callback else "")


def _do(command: Callable[..., Any], *args: Any) -> Any:
    try:
        return commit(the_engine(), THE_PORTAL, command, *args, source="terminal").result
    except Refusal as problem:
        _stop(problem.sentence)


def _check(*, name: str, email: str, programme: str, zone: str, currency: str, password: str) -> None:
    if not 1 <= len(name) <= 120 or not 1 <= len(programme) <= 120:
        _stop("A name has between 1 and 120 characters.")
    if "@" not in email[1:-1] or not 3 <= len(email) <= 254 or any(letter.isspace() for letter in email):
        _stop("This is not an e-mail address.")
    if zone not in available_timezones():
        _stop("This time zone is not known. It looks like Europe/London or America/New_York.")
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        _stop("A currency is three letters, such as EUR or GBP.")
    if password and (problem := rules.password_problem(password, name, email)):
        _stop(problem)


def _stop(why: str) -> NoReturn:
    print(why, file=sys.stderr)
    raise typer.Exit(1)


if __name__ == "__main__":
    cli()
