"""`make bench`: time and memory, against the reference package in the same run.

Needs the folder of reference data for SciFact.

Every ratio compares two measurements of one run on one machine; absolute times are for orientation.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time

import numpy as np
import torch

from benchmarks.engine import (
    DATA,
    ROOT,
    evaluate_command,
    median_seconds,
    scoring,
    training,
)


def dashboard() -> None:
    """Start the app on the sample.

    Time the server's work for the next and for a typed query, and its memory.
    """
    import psutil
    from streamlit.testing.v1 import AppTest

    with tempfile.TemporaryDirectory() as folder:
        os.environ["IMRNNS_WORKSPACE"] = folder
        start = time.perf_counter()
        app = AppTest.from_file(str(ROOT / "dashboard" / "script.py"), default_timeout=60).run()
        print(
            "dashboard, first run of the landing page, imports included: "
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
            f"dashboard, typed query, server: first {times[0]:.2f} s (loads the encoder), then "
            f"median {statistics.median(times[1:]):.2f} s"
        )
        print(f"dashboard, resident memory: {psutil.Process().memory_info().rss / 2**20:.0f} MB")


def browser() -> None:
    """Draw the map of 100,000 documents, and time the pages of the real app on SciFact."""
    from playwright.sync_api import Error

    from benchmarks.browser import cloud_figure, draw_ms, run

    seconds = median_seconds(cloud_figure)
    packed = cloud_figure().to_json()
    print(f"map of 100,000 documents: built in {1e3 * seconds:.0f} ms, {len(packed) / 1e6:.1f} MB")
    try:
        print(
            f"map of 100,000 documents: {draw_ms(packed):.0f} ms of the page's thread to draw "
            "it again, without a graphics card"
        )
        if (DATA / "scifact" / "corpus.jsonl").is_file():
            run(DATA)
    except Error as error:
        print(f"in the browser: not measured ({str(error).splitlines()[0]})")


def main() -> None:
    """Run all timings."""
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
        scoring()
        evaluate_command()
        training()
    else:
        print(
            f"{DATA} holds no SciFact; set IMRNNS_TEST_DATA to measure against the reference "
            "package"
        )
    dashboard()
    browser()


if __name__ == "__main__":
    main()
