"""Run by a Python that has pyspark and sqlglot: answers a DuckDB statement under Spark.

Standard input: a JSON object of `sql`, `tables` (a list of Parquet files by name), `from_at` and
`to_at`. Standard output: the rows as JSON.
"""

from __future__ import annotations

import json
import sys

import sqlglot
from pyspark.sql import SparkSession
from sqlglot import exp


def for_spark(text: str) -> str:
    """Transpile; sqlglot does not know DuckDB's epoch_us, which Spark calls unix_micros."""

    def renamed(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Anonymous) and node.name.lower() == "epoch_us":
            return exp.Anonymous(this="unix_micros", expressions=node.expressions)
        return node

    return sqlglot.parse_one(text, read="duckdb").transform(renamed).sql(dialect="spark")


def main() -> None:
    asked = json.load(sys.stdin)
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.codegen.wholeStage": "false",  # compiling takes longer than so few rows
        "spark.sql.adaptive.enabled": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    try:
        for name, files in asked["tables"].items():
            spark.read.parquet(*files).createOrReplaceTempView(name)
        ends = ", ".join(f"timestamp '{asked[name]}' as {name}" for name in ("from_at", "to_at"))
        spark.sql(f"select {ends}").createOrReplaceTempView("asked_window")
        rows = spark.sql(for_spark(asked["sql"])).collect()
    finally:
        spark.stop()
    json.dump([row.asDict() for row in rows], sys.stdout)


if __name__ == "__main__":
    main()
