"""Spark and DuckDB prepare the very same rows, by the same expressions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import write_folder
from training.datasets import load
from training.files import DataError
from training.recipe import Source

pytest.importorskip("pyspark", reason="Spark is not installed: it needs an environment with the extra `spark`")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java, and there is none", allow_module_level=True)

from training.spark import SparkReader, spark


@pytest.fixture(scope="module")
def reader() -> Iterator[SparkReader]:
    """Spark that reads even a small file in many parts, as it would a large one."""
    settings = {
        "spark.sql.files.maxPartitionBytes": "16384",
        "spark.sql.files.openCostInBytes": "0",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.memory": "1g",
        # Compiling takes longer than such small data does.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    }
    with spark(settings) as started:
        yield started


def test_both_give_identical_rows(reader: SparkReader, tmp_path: Path) -> None:
    """Two sources with people in both, ties in time, and one person dropped."""
    write_folder(tmp_path / "one", people=200)
    write_folder(tmp_path / "two", people=60, seed=0)
    ratings = tmp_path / "one" / "ratings.csv"
    lines = ratings.read_text().splitlines()
    tied = [line.rpartition(",")[0] + ",1000000000" if place % 3 else line for place, line in enumerate(lines[1:])]
    ratings.write_text("\n".join([lines[0], *tied]) + "\n")
    sources = [Source(folder="one", name="a", drop_last_person=True), Source(folder="two", name="b")]
    one, other = load(tmp_path, sources), load(tmp_path, sources, reader)
    assert reader.session.read.csv(str(ratings)).rdd.getNumPartitions() > 3
    for name in ("people", "starts", "films", "stars", "times"):
        assert np.array_equal(getattr(one.ratings, name), getattr(other.ratings, name)), name
    assert one.report == other.report
    assert one.data_hash == other.data_hash


def test_what_is_wrong_is_named_with_its_line_as_without_spark(reader: SparkReader, tmp_path: Path) -> None:
    write_folder(tmp_path, people=5)
    with (tmp_path / "ratings.csv").open("a") as file:
        file.write("5,1,good,1\n")
    with pytest.raises(
        DataError, match=r"^ratings\.csv, line \d+: expected a number from 0 to 5 for rating, found 'good'"
    ):
        load(tmp_path, [Source()], reader)
