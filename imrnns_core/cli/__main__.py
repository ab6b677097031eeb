"""Run the command line with `python -m imrnns_core.cli`."""

from imrnns_core.cli.app import main

main()
