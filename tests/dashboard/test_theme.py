"""The colours of figures are those of the page around them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from dashboard import theme

CONFIG = Path(theme.__file__).parent / ".streamlit" / "config.toml"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_grounds_and_letters_are_those_of_streamlit(scheme: str) -> None:
    page = tomllib.loads(CONFIG.read_text("utf-8"))["theme"][scheme]
    colours = theme.page_colours(scheme == "dark")
    assert (colours.background, colours.border, colours.text) == (
        page["backgroundColor"],
        page["borderColor"],
        page["textColor"],
    )


def test_boxes_have_the_secondary_background_of_streamlit() -> None:
    schemes = tomllib.loads(CONFIG.read_text("utf-8"))["theme"]
    light, dark = (schemes[scheme]["secondaryBackgroundColor"] for scheme in ("light", "dark"))
    assert f"light-dark({light}, {dark})" == theme.PANEL
    # Streamlit's variables exist inside its components only
    assert "--st-" not in (Path(theme.__file__).parent / "shell" / "page.css").read_text("utf-8")


def test_style_sheets_use_only_variables_that_exist() -> None:
    rule = theme.css_variables(":root")
    assert rule.startswith(":root { --lens-raises: #009e73; --lens-lowers: #d55e00;")
    for path in Path(theme.__file__).parent.rglob("*.css"):
        named = {part.split(")")[0] for part in path.read_text("utf-8").split("var(--lens-")[1:]}
        assert all(f"--lens-{name}:" in rule for name in named), path
