"""Measure time and memory of engine and dashboard, as `make bench` does.

Ratios compare two measurements of the same run on the same machine. Absolute times depend on the
machine. SciFact and the reference package are needed for the comparison with the latter.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time

import numpy as np
import torch

from benchmarks import against_reference, large_import
from benchmarks.engine import (
    DATA,
    ROOT,
    evaluate_command,
    median_seconds,
    training,
)


def dashboard() -> None:
    """Measure the server's time for the next query and a typed query, and its memory."""
    import psutil
    from streamlit.testing.v1 import AppTest

    with tempfile.TemporaryDirectory() as folder:
        os.environ["IMRNNS_WORKSPACE"] = folder
        start = time.perf_counter()
        app = AppTest.from_file(str(ROOT / "dashboard" / "script.py"), default_timeout=60).run()
        print(
            "dashboard, first run of the landing page, including imports: "
            f"{time.perf_counter() - start:.2f} s"
        )
        times = []
        for _ in range(8):
            start = time.perf_counter()
            app.button(key="next_query").click().run()
            times.append(time.perf_counter() - start)
        print(f"dashboard, next query, server: median {1e3 * statistics.median(times):.0f} ms")
        times = []
        for text in (
            "How deep is the deepest lake?",
            "Who pays the deposit back?",
            "Which planet spins backwards?",
            "What is a heisenbug?",
        ):
            app.query_params["query"], app.query_params["text"] = "", text
            start = time.perf_counter()
            app.run()
            times.append(time.perf_counter() - start)
        print(
            f"dashboard, typed query, server: first {times[0]:.2f} s (loads the encoder), others "
            f"median {statistics.median(times[1:]):.2f} s"
        )
        print(f"dashboard, resident memory: {psutil.Process().memory_info().rss / 2**20:.0f} MB")


def browser() -> None:
    """Time the map of 100,000 documents, and the pages of the dashboard on SciFact."""
    from playwright.sync_api import Error

    from benchmarks import large_pages
    from benchmarks.browser import cloud_figure, draw_ms, run

    seconds = median_seconds(cloud_figure)
    packed = cloud_figure().to_json()
    print(f"map of 100,000 documents: built in {1e3 * seconds:.0f} ms, {len(packed) / 1e6:.1f} MB")
    try:
        print(
            f"map of 100,000 documents: {draw_ms(packed):.0f} ms to redraw it in the browser, "
            "without a graphics card"
        )
        if (DATA / "scifact" / "corpus.jsonl").is_file():
            run(DATA)
        large_pages.main()
    except Error as error:
        print(f"in the browser: not measured ({str(error).splitlines()[0]})")


def main() -> None:
    """Run all benchmarks."""
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "numpy": np.__version__,
                "threads": torch.get_num_threads(),
            }
        )
    )
    if (DATA / "scifact" / "corpus.jsonl").is_file():
        against_reference.main([])
        evaluate_command()
        training()
    else:
        print(
            f"{DATA} contains no SciFact; set IMRNNS_TEST_DATA to compare with the reference "
            "package"
        )
    dashboard()
    browser()
    large_import.main()


if __name__ == "__main__":
    main()
