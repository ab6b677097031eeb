import imrnns_core  # noqa: F401  it says how threads wait, which torch reads when it is loaded
