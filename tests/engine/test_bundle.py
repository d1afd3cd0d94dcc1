"""A bundle is used only when it is whole, of this version, and answers as it did when it was made."""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import bundle
from engine.bundle import Bundle, BundleError
from engine.names import READING
from tests.engine import small_bundle
from tests.engine.small_bundle import write_small_bundle


@pytest.fixture
def copied(small_folder: Path, tmp_path: Path) -> Path:
    """A copy of the small bundle that may be damaged."""
    return Path(shutil.copytree(small_folder, tmp_path / "bundle"))


def sign(folder: Path, **changed: object) -> None:
    """Make the manifest fit the files again, with some of its fields changed: a bundle that somebody else made."""
    content = json.loads((folder / "manifest.json").read_text())
    content.update(changed)
    for name, entry in content["files"].items():
        data = (folder / name).read_bytes()
        entry.update(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    content["checksum"] = "0" * 64
    text = json.dumps(content)
    content["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(content))


def refusal(folder: Path) -> str:
    with pytest.raises(BundleError) as caught:
        bundle.load(folder, provider="cpu")
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert caught.value.folder == folder
    return sentence.replace(str(folder), "HERE")


def test_what_is_written_is_read_back(small: Bundle) -> None:
    np.testing.assert_array_equal(small.film_table, small_bundle.film_table())
    assert small.vocabulary.tolist() == [small_bundle.film_id(n) for n in range(small_bundle.KNOWN)]
    assert small.label == "small 1"
    assert len(small.catalog) == small_bundle.FILMS
    assert small.titles.link("Giallo Story 0").matches[0].film_id == small_bundle.film_id(0)


def test_the_same_bundle_is_written_twice_alike(small: Bundle, tmp_path: Path) -> None:
    again = write_small_bundle(tmp_path / "again")
    assert again.files == small.manifest.files


def test_the_shipped_bundle_fits_its_limit(starter: Bundle) -> None:
    assert sum(path.stat().st_size for path in starter.folder.rglob("*")) <= 15_000_000
    assert starter.manifest.licence
    assert "MovieLens" in (starter.folder / "NOTICE").read_text()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_one_changed_byte_anywhere_is_noticed(copied: Path, data: st.DataObject) -> None:
    files = sorted(path for path in copied.rglob("*") if path.is_file() and path.stat().st_size)
    path = data.draw(st.sampled_from(files))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    try:
        refusal(copied)
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["film_table.npy", "encoder.onnx", "catalog/years.npy", "canary.npz", "NOTICE"])
def test_a_file_cut_short_is_named(copied: Path, name: str) -> None:
    os.truncate(copied / name, (copied / name).stat().st_size - 1)
    assert re.fullmatch(rf"{name} in HERE is cut short: \d+ bytes instead of \d+\.", refusal(copied))


@pytest.mark.parametrize("name", ["scorer.onnx", "titles", "catalog/film_ids.npy", "MODEL_CARD.md"])
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    target = copied / name
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    assert re.fullmatch(rf"The bundle in HERE is incomplete: {name}\S* is missing\.", refusal(copied))


def test_a_changed_file_is_named(copied: Path) -> None:
    (copied / "NOTICE").write_text("Mine.....\n"[: (copied / "NOTICE").stat().st_size])
    assert refusal(copied) == "NOTICE in HERE was changed after the bundle was made."


def test_a_newer_bundle_says_so(copied: Path) -> None:
    sign(copied, schema=2, something_new=True)
    assert "newer Nextreel" in refusal(copied)


def test_an_index_of_names_read_otherwise_is_refused(copied: Path) -> None:
    sign(copied, reading=READING + 1)
    assert refusal(copied) == "The title index in HERE was built by another version of Nextreel; make the bundle anew."


def test_a_model_that_asks_for_more_says_so(copied: Path) -> None:
    sign(copied, inputs=["history", "times"])
    assert refusal(copied) == "The model in HERE asks for “times”, which this version of Nextreel does not know."


def test_other_shapes_than_declared_say_so(copied: Path) -> None:
    np.save(copied / "popularity.npy", np.zeros(3, np.float32))
    sign(copied)
    assert refusal(copied) == "popularity.npy in HERE holds float32[3], but its manifest says float32[240]."


def test_other_weights_than_the_canary_met_say_so(copied: Path) -> None:
    table = small_bundle.film_table()
    table[1:] = table[:0:-1]
    np.save(copied / "film_table.npy", table)
    sign(copied)
    assert "does not answer as it did when it was made" in refusal(copied)


def test_a_graph_that_does_not_run_says_so(copied: Path) -> None:
    (copied / "encoder.onnx").write_bytes(b"not a graph")
    sign(copied)
    assert "encoder.onnx is not a graph" in refusal(copied)


def test_a_graph_with_other_inputs_says_so(copied: Path) -> None:
    shutil.copy(copied / "scorer.onnx", copied / "encoder.onnx")
    sign(copied)
    assert "encoder.onnx" in refusal(copied)


def test_films_outside_the_catalogue_say_so(copied: Path) -> None:
    vocabulary = np.load(copied / "vocabulary.npy")
    np.save(copied / "vocabulary.npy", vocabulary + 1)
    sign(copied)
    assert "films that its catalogue does not hold" in refusal(copied)


@pytest.mark.parametrize("name", ["catalog/years", "catalog/title_offsets", "titles/entries", "titles/offsets"])
@pytest.mark.parametrize("content", [np.zeros((2, 2), np.uint32), np.zeros(2, np.uint32), None])
def test_an_array_of_another_length_is_refused(copied: Path, name: str, content: np.ndarray | None) -> None:
    path = copied / f"{name}.npy"
    path.write_bytes(b"") if content is None else np.save(path, content)
    sign(copied)
    assert "cannot be read; the bundle is damaged" in refusal(copied)


def test_a_canary_that_is_no_archive_is_refused(copied: Path) -> None:
    (copied / "canary.npz").write_bytes(b"PK\x03\x04 and no more")
    sign(copied)
    assert "canary.npz in HERE cannot be read" in refusal(copied)


@pytest.mark.parametrize(
    "changed",
    [
        {"ids": np.ones((5, 3))},
        {"ids": np.ones((0, 3), np.int32), "scores": np.ones((0, 9), np.float32), "indices": np.ones((0, 9), np.int64)},
        {"scores": np.float32(1), "indices": np.int64(1)},
    ],
)
def test_a_canary_of_other_arrays_is_refused(copied: Path, changed: dict[str, np.ndarray]) -> None:
    with np.load(copied / "canary.npz") as stored:
        arrays = {**stored, **changed}
    np.savez(copied / "canary.npz", **arrays)
    sign(copied)
    assert "canary.npz in HERE cannot be read" in refusal(copied)


def test_a_model_that_breaks_off_over_its_canary_is_refused(copied: Path) -> None:
    with np.load(copied / "canary.npz") as stored:
        arrays = dict(stored)
    np.savez(copied / "canary.npz", **{**arrays, "ids": np.full_like(arrays["ids"], 9_999)})
    sign(copied)
    assert "cannot be run: it breaks off over its canary." in refusal(copied)


def test_titles_that_do_not_fit_the_catalogue_are_refused(copied: Path) -> None:
    path = next((copied / "titles").glob("*.npy"))
    path.write_bytes(b"not an array")
    sign(copied)
    assert "titles in HERE cannot be read" in refusal(copied)


@pytest.mark.parametrize(
    "manifest",
    [b"", b"[]", b"{}", b'{"schema": 1}', b"\xff\xfe", b'{"name": "a package", "version": "1"}', b"[" * 9999],
)
def test_a_foreign_folder_is_told_from_a_bundle(tmp_path: Path, manifest: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(manifest)
    assert re.search(r"does not hold a Nextreel bundle|damaged or not one of Nextreel's", refusal(tmp_path))


def test_no_folder_and_an_empty_folder_are_told_apart(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "There is no bundle at HERE."
    assert refusal(tmp_path / "nowhere") == "There is no folder at HERE."


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "a\\b"])
def test_a_manifest_cannot_reach_outside_its_folder(copied: Path, name: str) -> None:
    content = json.loads((copied / "manifest.json").read_text())
    content["files"][name] = {"sha256": "0" * 64, "bytes": 1}
    (copied / "manifest.json").write_text(json.dumps(content))
    assert "does not hold a Nextreel bundle" in refusal(copied)


def test_without_verification_hashes_and_canary_are_left_alone(copied: Path) -> None:
    (copied / "NOTICE").write_text("x" * (copied / "NOTICE").stat().st_size)
    assert bundle.load(copied, verify=False, provider="cpu").label == "small 1"


def test_a_bundle_that_cannot_be_written_leaves_the_old_one(copied: Path) -> None:
    with pytest.raises(BundleError):
        write_small_bundle(copied, encoder=b"not a graph")
    assert bundle.load(copied, provider="cpu").label == "small 1"
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]


def test_what_is_no_bundle_is_never_replaced(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    for place in (tmp_path, notes):
        with pytest.raises(BundleError, match="something other than a bundle"):
            write_small_bundle(place)
    assert notes.read_text() == "mine"


def test_an_empty_folder_takes_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    write_small_bundle(tmp_path / "here")
    assert bundle.load(tmp_path / "here", provider="cpu").label == "small 1"


def test_a_new_bundle_takes_the_place_of_the_old_one_while_that_is_in_use(copied: Path) -> None:
    old = bundle.load(copied, provider="cpu")
    write_small_bundle(copied, version="2", extra={"people/hashes.bin": b"abc"})
    assert bundle.load(copied, provider="cpu").label == "small 2"
    assert (copied / "people/hashes.bin").read_bytes() == b"abc"
    np.testing.assert_array_equal(old.film_table, small_bundle.film_table())
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]
