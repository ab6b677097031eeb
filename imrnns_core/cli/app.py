"""`imrnns-lens`: the command line. Heavy imports wait until a command needs them."""

from __future__ import annotations

import typer

from imrnns_core.cli.adapters import adapters_import, adapters_list, adapters_show
from imrnns_core.cli.console import err
from imrnns_core.cli.dashboard import dashboard
from imrnns_core.cli.evaluate import evaluate
from imrnns_core.cli.explain import explain
from imrnns_core.cli.faithfulness import faithfulness
from imrnns_core.cli.prepare import prepare
from imrnns_core.cli.search import search
from imrnns_core.cli.train import train
from imrnns_core.errors import LensError

app = typer.Typer(
    help="See what an IMRNN adapter does to a dense retriever's rankings.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
adapters = typer.Typer(help="Adapters kept in the workspace.", no_args_is_help=True)
app.command()(prepare)
app.command()(train)
app.command()(evaluate)
app.command()(search)
app.command()(explain)
app.command()(faithfulness)
app.command()(dashboard)
adapters.command("import")(adapters_import)
adapters.command("list")(adapters_list)
adapters.command("show")(adapters_show)
app.add_typer(adapters, name="adapters")
INTERRUPTED = 130


def main() -> None:
    """Run the command line; an error that a user can mend is one line and exit code 2."""
    try:
        app()
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # typer has swallowed a Ctrl-C
            err.print("imrnns-lens: stopped; run the same command again to go on")
        raise
    except LensError as error:
        err.print(f"imrnns-lens: {error}", soft_wrap=True)
        raise SystemExit(2) from None
    except OSError as error:
        err.print(
            (
                f"imrnns-lens: {error.filename or ''}: {error.strerror or error}; check the path, "
                "the rights and the free space"
            ),
            soft_wrap=True,
        )
        raise SystemExit(2) from None
