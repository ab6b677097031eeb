"""The command line `imrnns-lens`. Commands import heavy modules only when they run."""

from __future__ import annotations

import typer

from imrnns_core.cli.adapters import (
    adapters_export,
    adapters_import,
    adapters_list,
    adapters_show,
)
from imrnns_core.cli.console import err
from imrnns_core.cli.doctor import doctor
from imrnns_core.cli.evaluate import evaluate
from imrnns_core.cli.explain import explain
from imrnns_core.cli.faithfulness import faithfulness
from imrnns_core.cli.gate import gate
from imrnns_core.cli.judgments import (
    judgments_export,
    judgments_import,
    judgments_list,
    judgments_remove_question,
)
from imrnns_core.cli.prepare import prepare
from imrnns_core.cli.remedies import remedies
from imrnns_core.cli.search import search
from imrnns_core.cli.servers import dashboard, serve
from imrnns_core.cli.train import train
from imrnns_core.errors import LensError
from imrnns_core.io import os_error_line

app = typer.Typer(
    help="Show and explain how an IMRNN adapter changes the rankings of a dense retriever.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
adapters = typer.Typer(
    help="Import, export, list and show adapters of the workspace.", no_args_is_help=True
)
app.command()(prepare)
app.command()(train)
app.command()(evaluate)
app.command()(search)
app.command()(explain)
app.command()(remedies)
app.command()(gate)
app.command()(faithfulness)
app.command()(dashboard)
app.command()(serve)
app.command()(doctor)
adapters.command("import")(adapters_import)
adapters.command("export")(adapters_export)
adapters.command("list")(adapters_list)
adapters.command("show")(adapters_show)
app.add_typer(adapters, name="adapters")
judgments = typer.Typer(
    help="Export, import and list the judgments that people made; remove a kept question.",
    no_args_is_help=True,
)
judgments.command("export")(judgments_export)
judgments.command("import")(judgments_import)
judgments.command("list")(judgments_list)
judgments.command("remove-question")(judgments_remove_question)
app.add_typer(judgments, name="judgments")
# 128 + 2, the number of SIGINT, as shells count it
INTERRUPTED = 130


def main() -> None:
    """Run the command line. Errors that a user can fix are one line, with exit code 2."""
    try:
        app()
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # typer turns Ctrl-C into this exit code
            err.print("imrnns-lens: stopped; run the same command again to continue")
        raise
    except LensError as error:
        err.print(f"imrnns-lens: {error}", soft_wrap=True)
        raise SystemExit(2) from None
    except OSError as error:
        err.print(f"imrnns-lens: {os_error_line(error)}", soft_wrap=True)
        raise SystemExit(2) from None
