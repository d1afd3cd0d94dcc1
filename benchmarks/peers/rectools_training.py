"""Trains SASRec or eSASRec of RecTools by turns (see `turns`). Runs in its environment; imports nothing of ours.

`settings.json` has dimensions, heads, blocks, length, dropout, batch_size, learning_rate, seed, and `layers`:
“pre-norm” (a feed-forward net four times as wide, as ours), “sasrec” (RecTools' default) or “ligr” (eSASRec: its loss
is the softmax over 256 films drawn for each place, the others have the softmax over all films).
"""

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Callback, Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools.models.nn.transformers.ligr import LiGRLayers
from rectools.models.nn.transformers.net_blocks import PreLNTransformerLayers
from rectools.models.nn.transformers.sasrec import SASRecTransformerLayers
from turns import Turns, answer, given, left_padded

LAYERS = {
    "pre-norm": {"transformer_layers_type": PreLNTransformerLayers},
    "sasrec": {"transformer_layers_type": SASRecTransformerLayers},
    "ligr": {
        "transformer_layers_type": LiGRLayers,
        "transformer_layers_kwargs": {"ff_factors_multiplier": 4, "ff_activation": "swiglu", "bias_in_ff": True},
        "loss": "sampled_softmax",
        "n_negatives": 256,
    },
}
settings, trained, asked = given()
films = 1 + max(int(ids.max()) for ids in trained)


class InTurn(Callback):
    """An epoch when it is asked for."""

    turns = Turns()

    def on_train_start(self, _, module):
        answer(parameters=sum(parameter.numel() for parameter in module.torch_model.parameters()))

    def on_train_epoch_start(self, *_):
        if not self.turns.before():
            raise SystemExit

    def on_train_epoch_end(self, _, module):
        self.turns.after(lambda: vectors(module))


@torch.no_grad()
def vectors(module):
    """Users after the histories asked about, and films, by index; a film that was not trained on has zeros."""
    model = module.torch_model.eval()
    known = module.data_preparator.item_id_map.convert_to_internal(np.arange(films), strict=False, return_missing=True)
    inner = np.zeros(films, np.int64)
    inner[np.setdiff1d(np.arange(films), known[1])] = known[0]
    embedded = model.item_model.get_all_embeddings()
    users = []
    for start in range(0, len(asked), 256):
        histories = [inner[ids[ids < films]] for ids in asked[start : start + 256]]
        batch = {"x": torch.from_numpy(left_padded([ids[ids > 0] for ids in histories], settings["length"]))}
        users.append(model.encode_sessions(batch, embedded)[:, -1])
    model.train()
    table = embedded.numpy()[inner]
    table[inner == 0] = 0
    return torch.cat(users).numpy(), table


def trainer():
    return Trainer(
        max_epochs=100_000,
        accelerator="cpu",
        callbacks=[InTurn()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


seed_everything(settings["seed"])
counts = [len(ids) for ids in trained]
interactions = pd.DataFrame(
    {
        Columns.User: np.repeat(np.arange(len(trained)), counts),
        Columns.Item: np.concatenate(trained),
        Columns.Weight: 1.0,
        Columns.Datetime: pd.to_datetime(np.concatenate([np.arange(count) for count in counts]), unit="s"),
    }
)
SASRecModel(
    n_blocks=settings["blocks"],
    n_heads=settings["heads"],
    n_factors=settings["dimensions"],
    dropout_rate=settings["dropout"],
    session_max_len=settings["length"],
    lr=settings["learning_rate"],
    batch_size=settings["batch_size"],
    get_trainer_func=trainer,
    **LAYERS[settings["layers"]],
).fit(Dataset.construct(interactions))
