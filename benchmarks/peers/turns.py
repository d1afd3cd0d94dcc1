"""How another library's training takes turns: an epoch for each line that it is sent. Imports nothing of ours.

A script of the peers' environment is started with a folder: `settings.json`, and `histories.npz` with `ids` int64[n]
(films from 1), `starts` int64[P + 1], `asked` and `asked_starts` likewise. For each line on its standard input (a path,
or nothing) it trains one epoch, stores there, if anywhere, `users` float32[A, D] after the histories that are asked
about and `films` float32[V + 1, D] (their products rank the films), and prints an object: `seconds`, `cpu_seconds`.
The first one, before any epoch, has `parameters`. It ends when its input does.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the library prints is no answer


def given():
    """The settings, and the histories trained on and asked about, each a list of int64[n]."""
    folder = Path(sys.argv[1])
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    with np.load(folder / "histories.npz") as kept:
        trained = np.split(kept["ids"], kept["starts"][1:-1])
        asked = np.split(kept["asked"], kept["asked_starts"][1:-1])
    return settings, trained, asked


def answer(**found):
    """Print one answer."""
    print(json.dumps(found), file=_answers, flush=True)


def left_padded(histories, length, padding=0):
    """int64[N, length], the last films of each."""
    ids = np.full((len(histories), length), padding, np.int64)
    for row, history in zip(ids, histories, strict=True):
        last = history[-length:]
        row[length - len(last) :] = last
    return ids


class Turns:
    """What a Lightning callback does before and after an epoch."""

    def before(self):
        """Wait for a turn; False when there is none any more."""
        line = sys.stdin.readline()
        self.target = line.strip()
        self.began = time.perf_counter(), time.process_time()
        return bool(line)

    def after(self, vectors):
        """Answer; `vectors` gives users and films where they are wanted."""
        seconds, cpu_seconds = time.perf_counter() - self.began[0], time.process_time() - self.began[1]
        if self.target:
            users, films = vectors()
            np.savez(self.target, users=users, films=films)
        answer(seconds=seconds, cpu_seconds=cpu_seconds)
