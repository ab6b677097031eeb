"""IMRNNs Lens, the engine: what an IMRNN adapter does to the ranking of a dense retriever.

Start with `imrnns_core.workspace.Workspace` and `imrnns_core.ranking.Ranker`.
"""

__version__ = "0.1.0"
