"""Trains SASRec of RePlay by turns (see `turns`). Runs in RePlay's environment; imports nothing of ours.

`settings.json` has dimensions, heads, blocks, length, dropout, batch_size, learning_rate, seed and `hidden`, how wide
the feed-forward net is. The loss is the softmax over all films.
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from lightning import Callback, Trainer, seed_everything
from replay.data import FeatureHint, FeatureSource, FeatureType
from replay.data.nn import ParquetModule, TensorFeatureInfo, TensorFeatureSource, TensorSchema
from replay.nn.lightning import LightningModule
from replay.nn.lightning.optimizer import OptimizerFactory
from replay.nn.sequential.sasrec import SasRec
from replay.nn.transform.template import make_default_sasrec_transforms
from turns import Turns, answer, given, left_padded

settings, trained, asked = given()
length, films = settings["length"], 1 + max(int(ids.max()) for ids in trained)
schema = TensorSchema(
    [
        TensorFeatureInfo(
            "item_id",
            is_seq=True,
            feature_type=FeatureType.CATEGORICAL,
            embedding_dim=settings["dimensions"],
            padding_value=films,
            cardinality=films,
            feature_hint=FeatureHint.ITEM_ID,
            feature_sources=[TensorFeatureSource(FeatureSource.INTERACTIONS, "item_id")],
        )
    ]
)


class InTurn(Callback):
    """An epoch when it is asked for."""

    turns = Turns()

    def on_train_start(self, _, module):
        answer(parameters=sum(parameter.numel() for parameter in module.model.parameters()))

    def on_train_epoch_start(self, *_):
        if not self.turns.before():
            raise SystemExit

    def on_train_epoch_end(self, _, module):
        self.turns.after(lambda: vectors(module.model))


@torch.no_grad()
def vectors(model):
    """Users after the histories asked about, and films, by index."""
    model.eval()
    users = []
    for start in range(0, len(asked), 256):
        ids = torch.from_numpy(left_padded([ids[ids < films] for ids in asked[start : start + 256]], length, films))
        users.append(model.body({"item_id": ids}, ids != films)[:, -1])
    model.train()
    return torch.cat(users).numpy(), model.body.embedder.get_item_weights(None).detach().numpy()[:films]


seed_everything(settings["seed"])
histories = Path(sys.argv[1]) / "histories.parquet"
pq.write_table(pa.table({"item_id": [ids[-length - 1 :] for ids in trained]}), histories)
module = LightningModule(
    SasRec.from_params(
        schema,
        embedding_dim=settings["dimensions"],
        num_heads=settings["heads"],
        num_blocks=settings["blocks"],
        max_sequence_length=length,
        dropout=settings["dropout"],
        hidden_dim=settings["hidden"],
    ),
    optimizer_factory=OptimizerFactory(learning_rate=settings["learning_rate"]),
)
data = ParquetModule(
    batch_size=settings["batch_size"],
    metadata={"train": {"item_id": {"shape": length + 1, "padding": films}}},
    transforms=make_default_sasrec_transforms(schema),
    train_path=str(histories),
)
Trainer(
    max_epochs=100_000,
    accelerator="cpu",
    callbacks=[InTurn()],
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    limit_val_batches=0,
).fit(module, datamodule=data)
