"""One page a file: selection → core → figure → draw."""
