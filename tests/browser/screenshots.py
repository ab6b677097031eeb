"""Write the screenshots in `assets/screenshots` from the real app: `make screenshots`.

Those of docs/case-studies.md, too; the cases of SciFact where a workspace with its adapters is
named: `python -m tests.browser.screenshots WORKSPACE`.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from imrnns_core.storage.workspace import Workspace
from tests.browser.app import (
    ROOT,
    WAIT_MS,
    launch,
    open_measured,
    open_page,
    serving,
    settle,
)

FOLDER = ROOT / "assets" / "screenshots"
QUERY = "q128"
PAGES = {
    "compare": f"/compare?query={QUERY}&document=rio-grande",
    "overview": "/overview",
    "failures": "/failures?top_k=1",
    "remedies": "/remedies",
    "modulation": f"/modulation?query={QUERY}",
    "map": f"/map?query={QUERY}",
    "explain": f"/explain?query={QUERY}",
    "judging": "/judging",
    "adapters": "/adapters",
    "data": "/data",
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = {"": (1440, 1000), "-narrow": (390, 844)}


@dataclass(frozen=True)
class Case:
    """What shows the cause of a case.

    A part of a page, by its selector; `edit` replaces words of the query there.
    """

    name: str
    path: str
    part: str
    edit: tuple[str, str] | None = None


WORDS, WATERFALL, EDITED = (
    ".st-key-verified_query",
    ".st-key-explain_waterfall",
    ".st-key-outcome table",
)
SCIFACT_CASES = (
    Case(
        "scifact-304-without-dms3",
        "/compare?adapter=imrnns-minilm-scifact&query=304&document=14797520&editing=yes",
        EDITED,
        ("DMS3 ", ""),
    ),
    Case(
        "scifact-1157-where",
        "/compare?adapter=imrnns-minilm-scifact&query=1157&where=12584053",
        ".st-key-where_12584053 table",
    ),
    Case(
        "scifact-949-causes",
        "/compare?adapter=imrnns-minilm-scifact&query=949&where=13578199",
        ".st-key-query_remedies",
    ),
    Case(
        "scifact-1046-without-ribosomal",
        "/compare?adapter=imrnns-minilm-scifact&query=1046&document=16712164&editing=yes",
        EDITED,
        ("Ribosomal ", ""),
    ),
    Case(
        "scifact-398-causes",
        "/compare?adapter=imrnns-minilm-scifact&query=398",
        ".st-key-query_remedies",
    ),
    Case(
        "scifact-856-waterfall",
        "/explain?adapter=scifact-best&query=856&document=43334921",
        WATERFALL,
    ),
    Case(
        "scifact-484-stages",
        "/explain?adapter=scifact-best&query=484&document=14637235&carry=score",
        ".st-key-stages table",
    ),
    Case(
        "scifact-486-stages",
        "/explain?adapter=scifact-best&query=486&document=14637235&carry=score",
        ".st-key-stages table",
    ),
    Case(
        "scifact-776-waterfall",
        "/explain?adapter=scifact-best&query=776&document=32275758",
        WATERFALL,
    ),
    Case(
        "scifact-1374-waterfall",
        "/explain?adapter=scifact-best&query=1374&document=21993510",
        WATERFALL,
    ),
    Case(
        "scifact-30-waterfall",
        "/explain?adapter=scifact-reference&query=30&document=24341590",
        WATERFALL,
    ),
    Case(
        "scifact-30-rival-waterfall",
        "/explain?adapter=scifact-reference&query=30&document=12438901",
        WATERFALL,
    ),
)
SAMPLE_CASES = (
    Case(
        "q763-waterfall", "/explain?query=q763&document=treaty-of-paris-1783&carry=score", WATERFALL
    ),
    Case("q929-bump", "/compare?query=q929", ".st-key-bump"),
    Case("q898-query-words", "/explain?query=q898&document=turandot&carry=score", WORDS),
    Case("q078-query-words", "/explain?query=q078&document=cabinda&carry=score", WORDS),
    Case(
        "q048-query-words", "/explain?query=q048&document=mauritius-mauritania&carry=score", WORDS
    ),
    Case(
        "q048-without-rupee",
        "/compare?query=q048&document=mauritius-mauritania&editing=yes",
        EDITED,
        ("rupee ", ""),
    ),
    Case(
        "q003-guatemala",
        "/compare?query=q003&document=guatemalan-quetzal&editing=yes",
        EDITED,
        ("the western neighbour of Honduras", "Guatemala"),
    ),
    Case("q126-target", "/map?query=q126&document=uruguayan-peso", ".st-key-map_target_2-D"),
    Case("q393-query-words", "/explain?query=q393&document=adrenals&carry=score", WORDS),
    Case(
        "q749-marked",
        "/explain?query=q749&document=poison-hemlock&carry=score",
        ".st-key-marked_document",
    ),
    Case("q708-where", "/compare?query=q708&where=corms", ".st-key-where_corms table"),
)


def picture(browser: Browser, address: str, case: Case) -> None:
    """Open a case by its link, make its edit, and keep the part that shows the cause."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    open_page(page, address + case.path)
    if case.edit:
        box = page.get_by_role("textbox", name="Text of the query")
        before = box.input_value()
        after = before.replace(*case.edit)
        assert after != before, f"{case.name}: the query does not say {case.edit[0]!r}"
        box.fill(after)
        box.press("Control+Enter")
        page.locator(".st-key-edited_query").wait_for(timeout=WAIT_MS)
        settle(page)
    if "st-key-stages" in case.part:
        page.get_by_text("Rank and score at each stage").click()
    part = page.locator(case.part)
    part.wait_for(timeout=WAIT_MS)
    part.scroll_into_view_if_needed()
    page.wait_for_timeout(1500)  # fonts and figures
    part.screenshot(path=FOLDER / "cases" / f"{case.name}.png")
    print(f"{FOLDER.relative_to(ROOT)}/cases/{case.name}.png")
    page.close()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        # Judging shows the name of the user
        serving(Path(folder), LOGNAME="reader") as address,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        for suffix, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                page = context.new_page()
                for name, path in PAGES.items():
                    opening = open_measured if name == "remedies" else open_page
                    opening(page, address + path)
                    if name == "judging":  # the queries are ranked first
                        page.get_by_text("pairs of query and document left").wait_for()
                    page.wait_for_timeout(1500)  # fonts and figures
                    target = FOLDER / f"{name}-{scheme}{suffix}.png"
                    page.screenshot(path=target)
                    print(target.relative_to(ROOT))
                context.close()
        for case in SAMPLE_CASES:
            picture(browser, address, case)
        browser.close()


def scifact_cases(workspace: Path) -> None:
    """Take the cases of SciFact from a workspace that has it and its adapters."""
    wanted = {"imrnns-minilm-scifact", "scifact-best", "scifact-reference"}
    if missing := wanted - Workspace(workspace).adapter_paths().keys():
        raise SystemExit(
            f"{workspace} has no adapter {', '.join(sorted(missing))}; docs/case-studies.md "
            "says how each was made"
        )
    with serving(workspace) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for case in SCIFACT_CASES:
            picture(browser, address, replace(case, path=f"{case.path}&data=scifact"))
        browser.close()


if __name__ == "__main__":
    scifact_cases(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
