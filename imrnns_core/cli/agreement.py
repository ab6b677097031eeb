"""The question before texts are sent to an endpoint."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from imrnns_core.cli.console import err
from imrnns_core.errors import EncoderError
from imrnns_core.reporting.formatting import counted

if TYPE_CHECKING:
    from imrnns_core.encoding.endpoint import Transfer

Yes = Annotated[
    bool, typer.Option("--yes", help="Send texts to the endpoint of the encoder without asking.")
]


def agree(transfer: Transfer, yes: bool = False) -> None:
    """Say what is sent where, and ask for an answer.

    Args:
        transfer: What is to be sent.
        yes: Do not ask.

    Raises:
        EncoderError: If the answer is no, or there is no terminal.
    """
    sent = (
        f"{counted(transfer.texts, 'text')} (about {counted(transfer.tokens, 'token')}) to "
        f"{transfer.endpoint}, model {transfer.model}"
    )
    if yes:
        err.print(f"imrnns-lens: sending {sent}", soft_wrap=True)
        return
    if not sys.stdin.isatty():
        raise EncoderError(
            f"nothing was sent: {sent}; agree with the option --yes of prepare and train, or in a "
            "terminal"
        )
    err.print(f"This sends {sent}.", soft_wrap=True)
    if not typer.confirm("Send them?", err=True):
        raise EncoderError(f"nothing was sent to {transfer.endpoint}; choose another --encoder")
