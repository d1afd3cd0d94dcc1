"""Ratings read by Spark, for data that one machine's DuckDB is too small for.

Knows how to start Spark on this machine (or to join the one that `spark-submit` provides) and how it reads a file of
ratings. The preparation itself is `training.preparation`, the same expressions as on DuckDB; `training.datasets` puts
the two together. Needs the extra `spark` and Java 17.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
from ibis.backends.pyspark import Backend
from ibis.util import gen_name
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from training.errors import TrainingError
from training.files import HEADLESS

_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "localhost",
    "spark.driver.memory": "4g",
    "spark.sql.session.timeZone": "UTC",
    # A line with too many values is only found by reading all of them.
    "spark.sql.csv.parser.columnPruning.enabled": "false",
}


@dataclass(frozen=True, slots=True)
class SparkReader:
    """Reads ratings by a running Spark session; see `training.files.Reader`."""

    session: SparkSession
    backend: Backend
    errors: tuple[type[Exception], ...] = (PySparkException, Py4JError)

    def numbers(self, path: Path, columns: Mapping[str, str], header: Sequence[str] | None) -> ir.Table:
        """The file's columns as float64, and `row`: ascending in the order of the file, with gaps between its parts."""
        if header is None:
            read = self.session.read.parquet(str(path))
        else:
            schema = ", ".join(f"`{name}` {'double' if name in columns else 'string'}" for name in header)
            options = {"header": path.suffix not in HEADLESS, "sep": HEADLESS.get(path.suffix, ","), "mode": "FAILFAST"}
            read = self.session.read.csv(str(path), schema=schema, **options)
        return self._table(read.select(*columns).withColumn("row", F.monotonically_increasing_id()))

    def _table(self, frame: DataFrame) -> ir.Table:
        name = gen_name("ratings")
        frame.createOrReplaceTempView(name)
        table: ir.Table = self.backend.table(name)
        return table


@contextmanager
def spark(settings: Mapping[str, str] | None = None) -> Iterator[SparkReader]:
    """Spark on all cores of this machine, or as `settings` say. Raises TrainingError where Java is missing."""
    builder = SparkSession.builder.appName("nextreel").master(f"local[{os.cpu_count() or 1}]")
    for name, value in {**_SETTINGS, **(settings or {})}.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except PySparkException as error:
        raise TrainingError("Spark did not start; it needs Java 17, and JAVA_HOME to say where that is.") from error
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield SparkReader(session, ibis.pyspark.connect(session))
    finally:
        session.stop()
