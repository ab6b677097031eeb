"""Write the screenshots in `assets/screenshots` from the real app: `make screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from tests.browser.app import ROOT, launch, open_page, serving

FOLDER = ROOT / "assets" / "screenshots"
QUERY = "q128"
PAGES = {
    "compare": f"/?query={QUERY}&document=rio-grande",
    "overview": "/overview",
    "failures": "/failures?top_k=1",
    "modulation": f"/modulation?query={QUERY}",
    "map": f"/map?query={QUERY}",
    "explain": f"/explain?query={QUERY}",
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = {"": (1440, 1000), "-narrow": (390, 844)}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for suffix, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                for name, path in PAGES.items():
                    open_page(page, address + path)
                    page.wait_for_timeout(1500)  # fonts and figures
                    target = FOLDER / f"{name}-{scheme}{suffix}.png"
                    page.screenshot(path=target)
                    print(target.relative_to(ROOT))
                context.close()
        browser.close()


if __name__ == "__main__":
    main()
