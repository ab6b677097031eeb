"""One document after another to judge, with the keyboard or the mouse."""
