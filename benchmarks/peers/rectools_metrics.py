"""RecTools' figures for made-up slates. Runs in the peers' environment and imports nothing of ours.

`python rectools_metrics.py FILE.json`: reads slates, targets, earlier watches and genres; prints RecTools' figures as
JSON. See `benchmarks.peers.metrics`.
"""

import json
import sys
from pathlib import Path

import pandas as pd
from rectools import Columns
from rectools.metrics import (
    MRR,
    NDCG,
    AvgRecPopularity,
    CatalogCoverage,
    HitRate,
    IntraListDiversity,
    MeanInvUserFreq,
    PairwiseHammingDistanceCalculator,
    calc_metrics,
)

made = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
top = made["top"]
slates = pd.DataFrame(
    [(person, film, rank) for person, slate in enumerate(top) for rank, film in enumerate(slate, 1)],
    columns=[Columns.User, Columns.Item, Columns.Rank],
)
targets = pd.DataFrame(list(enumerate(made["targets"])), columns=[Columns.User, Columns.Item])
earlier = pd.DataFrame(made["earlier"], columns=[Columns.User, Columns.Item])
genres = pd.DataFrame(made["genres"]["marks"], index=made["genres"]["films"]).astype(int)
metrics = {
    "hr@5": HitRate(k=5),
    "hr@10": HitRate(k=10),
    "ndcg@10": NDCG(k=10, divide_by_achievable=True),
    "mrr@10": MRR(k=10),
    "coverage@10": CatalogCoverage(k=10, normalize=True),
    "novelty@10": MeanInvUserFreq(k=10),
    "fame@10": AvgRecPopularity(k=10),
    "diversity@10": IntraListDiversity(k=10, distance_calculator=PairwiseHammingDistanceCalculator(genres)),
}
found = calc_metrics(
    metrics, reco=slates, interactions=targets, prev_interactions=earlier, catalog=sorted(made["genres"]["films"])
)
print(json.dumps({name: float(value) for name, value in found.items()}))
