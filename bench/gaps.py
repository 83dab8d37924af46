"""Measures how well unanswered questions are put together: paraphrases by people of the same question belong together.

    KEFU_BENCH_DATA=FOLDER python -m bench.gaps

The folder holds retrieval/stackfaq.queries.jsonl.gz. `SAME` of knowledge.gaps was chosen on the even half.
"""

import gzip
import json
import os
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score, homogeneity_completeness_v_measure

from chatbot.encoder import search_encoder
from knowledge.embedding import as_query
from knowledge.gaps import SAME, Unanswered, group


def main() -> None:
    """Print the table."""
    path = Path(os.environ["KEFU_BENCH_DATA"]) / "retrieval" / "stackfaq.queries.jsonl.gz"
    with gzip.open(path, "rt") as file:
        rows = [json.loads(line) for line in file]
    embedder = search_encoder(Path(os.environ.get("KEFU_MODELS", "models")))
    print(f"{'half':<10}{'distance':>9}{'questions':>10}{'FAQs':>6}{'groups':>8}{'Rand':>7}{'homog.':>8}{'compl.':>8}")
    for half, name in ((0, "chosen on"), (1, "held out")):
        mine = [row for row in rows if int(row["ref"]) % 2 == half]
        vectors = np.asarray(embedder.embed([as_query(row["query"]) for row in mine]), np.float32)
        questions = [Unanswered(row["query"], str(number), str(number)) for number, row in enumerate(mine)]
        for distance in (0.2, SAME, 0.25):
            groups = group(questions, vectors, distance=distance)
            label = {one.message: number for number, each in enumerate(groups) for one in each.questions}
            found, true = [label[one.message] for one in questions], [row["ref"] for row in mine]
            homogeneity, completeness, _ = homogeneity_completeness_v_measure(true, found)
            print(
                f"{name:<10}{distance:>9}{len(mine):>10}{len(set(true)):>6}{len(groups):>8}"
                f"{adjusted_rand_score(true, found):>7.3f}{homogeneity:>8.3f}{completeness:>8.3f}"
            )


if __name__ == "__main__":
    main()
