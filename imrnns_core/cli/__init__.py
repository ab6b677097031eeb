"""The command line `imrnns-lens`."""
