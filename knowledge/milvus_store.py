"""Vectors of snapshots in Milvus instead of in mapped files: for bases that one machine's memory cannot hold. Needs the
package pymilvus. Knows nothing of chunks.

A snapshot's vectors of one kind are one collection, written once and never changed; what came since the snapshot stays
in each process' memory, as with files.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from knowledge.nearest import Allowed, Floats, Numbers, Stored
from knowledge.passages import Vectors

if TYPE_CHECKING:
    from pymilvus import MilvusClient

_AT_ONCE = 5000
_MOST = 16384  # that Milvus gives at once
_NAMED = 20_000  # vectors that an expression lists


@dataclass(frozen=True, eq=False)
class MilvusNearest:
    """Searches one collection. Raises pymilvus' MilvusException when the server does not answer."""

    client: "MilvusClient"
    name: str

    def search(self, query: Vectors, depth: int, allowed: Allowed | None = None) -> tuple[Floats, Numbers]:
        """See `nearest.Nearest.search`."""
        if allowed is None:
            return self._found(query, depth)
        if not len(allowed.numbers):
            return np.empty(0, np.float32), np.empty(0, np.int64)
        if len(allowed.numbers) <= _NAMED:
            return self._found(query, depth, f"id in {allowed.numbers.tolist()}")
        asked = int(2 * depth / allowed.share) + 1
        while True:  # so many cannot be named: the nearest of all, as many as it takes
            scores, numbers = self._found(query, asked)
            some = np.isin(numbers, allowed.numbers)
            if int(some.sum()) >= depth or len(numbers) < asked or asked >= _MOST:
                return scores[some][:depth], numbers[some][:depth]
            asked = min(4 * asked, _MOST)

    def _found(self, query: Vectors, depth: int, only: str = "") -> tuple[Floats, Numbers]:
        data, limit = [query.tolist()], min(depth, _MOST)
        found = self.client.search(self.name, data=data, limit=limit, output_fields=["id"], filter=only)[0]
        return (
            np.asarray([one["distance"] for one in found], np.float32),
            np.asarray([one["id"] for one in found], np.int64),
        )


class MilvusStore:
    """A `loading.VectorStore`. Thread-safe."""

    def __init__(self, uri: str, token: str = "") -> None:
        """`uri` is a server's address, or a file's path for the embedded Milvus Lite (one process, for tests).

        Raises ImportError without pymilvus, and its MilvusException when the server does not answer.
        """
        from pymilvus import MilvusClient

        self._client = MilvusClient(uri, token=token)

    def keep(self, name: str, vectors: Stored) -> None:
        """See `loading.VectorStore.keep`."""
        from pymilvus import DataType

        if self._client.has_collection(name):
            self._client.drop_collection(name)  # of a maker that was killed
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
        index = self._client.prepare_index_params()
        index.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
        self._client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
        for start in range(0, len(vectors), _AT_ONCE):
            block = vectors[start : start + _AT_ONCE].astype(np.float32)
            self._client.insert(name, [{"id": start + row, "vector": one.tolist()} for row, one in enumerate(block)])
        self._client.flush(name)

    def find(self, name: str) -> MilvusNearest:
        """See `loading.VectorStore.find`."""
        self._client.load_collection(name)
        return MilvusNearest(self._client, name)

    def drop(self, prefix: str, *, but: str = "") -> None:
        """See `loading.VectorStore.drop`."""
        for name in self._client.list_collections():
            if name.startswith(prefix) and not (but and name.startswith(but)):
                self._client.drop_collection(name)

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()
