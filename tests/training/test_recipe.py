"""Recipes: those that ship, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.recipe import Recipe, RecipeError, from_manifest, read, shipped


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_recipe_reads_and_survives_a_manifest(name: str) -> None:
    recipe = read(name)
    assert from_manifest(recipe.model_dump(mode="json")) == recipe


def test_the_inspirations_shape_is_a_recipe() -> None:
    recipe = read("inspiration")
    model = recipe.model
    assert (model.dimensions, model.heads, model.blocks, model.length) == (128, 8, 2, 50)
    assert (recipe.sequences.liked_quantile, recipe.sequences.min_targets) == (0.7, 20)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('name="a"\nversion="1"\n[model]\nheds = 3', "has a setting that does not exist: model.heds."),
        ('version="1"', "does not say name."),
        ('name="a"\nversion="1"\n[model]\ndimensions="many"', "model.dimensions is not right: input should be a valid"),
        ('name="a"\nversion="1"\n[model]\ndropout=1.5', "model.dropout is not right: input should be less than 1."),
        ('name="a"\nversion="1"\n[model]\ndimensions=10\nheads=3', "10 dimensions do not divide among 3 heads."),
        ('name="a"\nversion="1"\n[sequences]\ninputs="best"', "sequences.inputs is not right"),
        ('name="a"\nversion="1"\n[[data.sources]]\n[[data.sources]]', "two sources have the same name"),
        ("name = ", "is not TOML"),
    ],
)
def test_a_wrong_recipe_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as raised:
        read(str(path))
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_recipe_that_is_not_there_is_said_with_those_that_are() -> None:
    with pytest.raises(RecipeError, match=r"There is no recipe “nope”.*starter"):
        read("nope")


def test_a_manifest_without_a_recipe_is_said() -> None:
    with pytest.raises(RecipeError):
        from_manifest({"some": "thing"})


def test_a_recipe_cannot_be_changed_by_mistake() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Recipe(name="a", version="1").name = "b"  # type: ignore[misc]
