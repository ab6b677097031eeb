"""The files of data sets in a workspace: uploaded ones, and those of deleted data sets."""
