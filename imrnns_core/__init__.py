"""IMRNNs Lens, the engine: what an IMRNN adapter does to the ranking of a dense retriever.

Start with `imrnns_core.workspace.Workspace` and `imrnns_core.ranking.Ranker`.
"""

import os

# Threads that wait for work sleep: spinning, as OpenMP does unless told otherwise before torch is
# loaded, costs the
# other processes of a busy machine (a browser, a second run) their cores, and then this one its
# time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
