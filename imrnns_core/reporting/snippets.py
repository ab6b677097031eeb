"""Lines to paste: the modulated ranking in one's own vector store, by two searches."""

from __future__ import annotations

from collections.abc import Mapping

from imrnns_core.config import EncoderSpec
from imrnns_core.encoding.encoder import format_query

STORES: Mapping[str, str] = {
    "FAISS": """import faiss, numpy as np
index, names = faiss.read_index("docs.faiss"), open("ids.txt").read().splitlines()
k = min(100, index.ntotal)
nearest = lambda v: {names[i]: index.reconstruct(int(i)) for i in index.search(v[None], k)[1][0]}
""",
    "Qdrant": """import numpy as np, qdrant_client
client = qdrant_client.QdrantClient(path="qdrant")  # a server: url="http://HOST:6333"
nearest = lambda v: {p.id: p.vector for p in client.query_points(
    "docs", v.tolist(), limit=100, with_vectors=True).points}
""",
    "Milvus": """import numpy as np, pymilvus
client = pymilvus.MilvusClient("milvus.db"); client.load_collection("docs")  # or "http://HOST:19530"
nearest = lambda v: {hit["id"]: hit["entity"]["vector"] for hit in client.search(
    "docs", [v.tolist()], limit=100, output_fields=["vector"])[0]}
""",
    "pgvector": """import json, numpy as np, psycopg
connection = psycopg.connect("postgresql://USER@HOST/DATABASE")
nearest = lambda v: {i: json.loads(x) for i, x in connection.execute(
    "SELECT id, v::text FROM docs ORDER BY v <=> %s::vector LIMIT 100", (str(v.tolist()),))}
""",
}
"""Store → the lines with which it returns the 100 nearest documents of a vector."""
_TWO_SEARCHES = """base = nearest(query)
refined = adapter.refine(query, np.array(list(base.values())))
ids, vectors = zip(*{**base, **nearest(refined.vector)}.items())
print([ids[i] for i in np.argsort(-refined.score(np.array(vectors)))[:10]])
"""


def snippet(store: str) -> str:
    """Return the lines for one of `STORES`.

    They use two names: `query`, the embedding (n,) of the query, and `adapter`, as `load_adapter`
    returns it.
    """
    return STORES[store] + _TWO_SEARCHES


def adapter_lines(file: str) -> str:
    """Return the lines that define `adapter`, from its file."""
    return f"import imrnns_core\nadapter = imrnns_core.load_adapter({file!r})\n"


def query_lines(spec: EncoderSpec, text: str) -> str:
    """Return the lines that define `query` for a text, with an encoder of sentence-transformers."""
    formatted = format_query(spec, text)
    return (
        "import sentence_transformers\n"
        f"encoder = sentence_transformers.SentenceTransformer({spec.name!r})\n"
        f'query = encoder.encode({formatted!r}, prompt="")\n'
    )
