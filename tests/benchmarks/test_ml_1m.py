"""MovieLens 1M's examination, on a small made-up order: the split, every seed's figures, and what is taken up again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from benchmarks.ml_1m import CANDIDATES, VARIANTS, ablate, changed, compare, leave_last_out, main, run, variant
from benchmarks.starter import BASELINES
from training.datasets import Dataset, load
from training.evaluate import hit
from training.recipe import Blocks, ModelSettings, Recipe, SequenceSettings, Source, TrainingSettings, Validation, read

PEOPLE, FILMS, WATCHED = 40, 30, 12
RECIPE = Recipe(
    name="tiny",
    version="1",
    sequences=SequenceSettings(inputs="all", targets="all"),
    model=ModelSettings(dimensions=8, heads=2, blocks=1, length=10, block=Blocks.GATED, convolution=2),
    training=TrainingSettings(epochs=1, validation=Validation.LAST, batch_films=100, decay=True),
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder, rng = tmp_path_factory.mktemp("ml-1m"), np.random.default_rng(0)
    films = np.concatenate([rng.permutation(FILMS)[:WATCHED] + 1 for _ in range(PEOPLE)])
    table = {
        "userId": np.repeat(np.arange(PEOPLE), WATCHED),
        "movieId": films,
        "pos": np.tile(np.arange(WATCHED), PEOPLE),
    }
    pyarrow.parquet.write_table(pa.table(table), folder / "interactions_ordered.parquet")
    (folder / "movies.dat").write_text("".join(f"{film}::Film {film} (2000)::Drama\n" for film in range(1, FILMS + 6)))
    return load(folder, [Source()])


def written(folder: Path, name: str = "ml-1m") -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_nobodys_last_film_is_learnt_from(dataset: Dataset) -> None:
    split = leave_last_out(dataset, RECIPE)
    assert [len(question.seen) for question in split.questions] == [WATCHED - 1] * PEOPLE
    for question in split.questions:
        learnt = split.learning.ratings.films[split.learning.ratings.rows(question.person)]
        assert learnt.tolist() == question.seen.tolist()
        assert question.target not in learnt
    assert split.learning.data_hash != dataset.data_hash  # a state that was trained on the targets has another name
    assert split.films == FILMS


def test_seeds_add_up_over_several_runs_and_are_not_trained_twice(dataset: Dataset, tmp_path: Path) -> None:
    split, kept, results = leave_last_out(dataset, RECIPE), tmp_path / "kept", tmp_path / "results"
    run(split, RECIPE, [0], kept, results)
    first = written(results)
    assert first["settings"]["seeds"] == [0]
    assert first["metrics"]["hr@10"] == first["metrics"]["seed-0/hr@10"]
    assert "hr@10-sd" not in first["metrics"]
    for state in kept.glob("*.pt"):
        state.unlink()
    answers = {path: path.stat().st_mtime_ns for path in kept.glob("*.npz")}
    run(split, RECIPE, [0, 1], kept, results)
    both = written(results)
    assert both["settings"]["seeds"] == [0, 1]
    assert len(list(kept.glob("*.pt"))) == 1
    assert all(path.stat().st_mtime_ns == before for path, before in answers.items())
    metrics = both["metrics"]
    each = [metrics["seed-0/ndcg@10"], metrics["seed-1/ndcg@10"]]
    assert metrics["ndcg@10"] == pytest.approx(np.mean(each), rel=1e-5)
    assert metrics["ndcg@10-sd"] == pytest.approx(np.std(each, ddof=1), rel=1e-4)
    for name in ("", *(f"{baseline}/" for baseline in BASELINES)):
        assert 0 < metrics[f"{name}hr@5"] <= metrics[f"{name}hr@10"] <= metrics[f"{name}hr@50"] == 1
        assert 0 < metrics[f"{name}coverage@10"] <= 1
        assert metrics[f"{name}ndcg@10-se"] > 0


def test_another_recipes_seeds_do_not_count(dataset: Dataset, tmp_path: Path) -> None:
    split = leave_last_out(dataset, RECIPE)
    run(split, RECIPE, [0], tmp_path, tmp_path)
    wider = RECIPE.model_copy(update={"model": RECIPE.model.model_copy(update={"dimensions": 16})})
    run(split, wider, [1], tmp_path, tmp_path)
    assert written(tmp_path)["settings"]["seeds"] == [1]


def test_the_answers_are_to_the_questions_of_all_films(dataset: Dataset, tmp_path: Path) -> None:
    """With 30 films, 11 of them seen, nobody's target can rank below 19."""
    split = leave_last_out(dataset, RECIPE)
    run(split, RECIPE, [0], tmp_path, tmp_path)
    [path] = tmp_path.glob("answers-*.npz")
    with np.load(path) as kept:
        assert kept["ranks"].min() >= 1
        assert kept["ranks"].max() <= FILMS - (WATCHED - 1)
        assert hit(kept["ranks"], 19).all()
        for top, question in zip(kept["top"], split.questions, strict=True):
            assert not set(np.sort(np.unique(dataset.ratings.films))[top - 1]) & set(question.seen.tolist())


def test_a_folder_that_is_not_there_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["ml_1m", "--data", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 65
    assert capsys.readouterr().err == f"There is no folder {tmp_path / 'nowhere'}.\n"


def test_the_ablation_writes_what_each_change_gave(dataset: Dataset, tmp_path: Path) -> None:
    tried = {name: VARIANTS[name] for name in ("the recipe", "plain blocks")}
    ablate(leave_last_out(dataset, RECIPE), RECIPE, tried, tmp_path, tmp_path)
    metrics = written(tmp_path, "ml-1m-ablation")["metrics"]
    assert metrics.keys() == {f"{name}/{figure}" for name in tried for figure in ("validation-ndcg@10", "loss")}
    assert metrics["the recipe/loss"] != metrics["plain blocks/loss"]


def test_every_variant_is_a_recipe_that_differs_from_the_shipped_one() -> None:
    recipe = read("ml-1m")
    made = [variant(recipe, changes) for changes in VARIANTS.values()]
    assert all(one != other for i, one in enumerate(made) for other in made[:i])


def test_candidates_are_compared_on_validation_and_leave_the_states_that_they_would_as_recipes(
    dataset: Dataset, tmp_path: Path
) -> None:
    split, kept = leave_last_out(dataset, RECIPE), tmp_path / "kept"
    tried = {"the recipe": {}, "wider": {"model": {"dimensions": 16}}}
    compare(split, RECIPE, tried, kept, tmp_path)
    metrics = written(tmp_path, "ml-1m-candidates")["metrics"]
    assert set(metrics) == {
        f"{name}/{figure}" for name in tried for figure in ("validation-ndcg@10", "epoch", "epochs")
    }
    states = {path: path.stat().st_mtime_ns for path in kept.glob("*.pt")}
    assert len(states) == 2
    run(split, changed(RECIPE, tried["wider"]), [0], kept, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in kept.glob("*.pt")} == states


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_is_a_recipe(name: str) -> None:
    assert (changed(read("ml-1m"), CANDIDATES[name]) == read("ml-1m")) == (name == "the recipe")
