"""What docs/privacy.md promises is there: the tables, the commands and the settings that it names."""

import re
from pathlib import Path

from bot.conversation.commands import ALIASES
from config.settings import PREFIX, Settings
from docs.generate import data_map
from storage.portable.form import JSON_NAME
from storage.tables import metadata

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")


def test_the_data_map_has_every_table_with_every_column() -> None:
    rows = data_map().splitlines()[2:]
    assert len(rows) == len(metadata.tables)
    for row, table in zip(rows, metadata.tables.values(), strict=True):
        assert row.startswith(f"| `{table.name}` | {table.info['about']} | {table.info['kept']} |")
        for column in table.columns:
            assert f"`{column.name}` {column.doc}" in row


def test_every_command_that_the_page_names_is_there() -> None:
    named = re.findall(r"`/(\w+)", PAGE)
    assert {"privacy", "export", "import", "forget"} <= set(named) <= set(ALIASES)


def test_every_setting_that_the_page_names_is_there() -> None:
    named = set(re.findall(rf"{PREFIX}(\w+)", PAGE))
    assert named
    assert named <= {name.upper() for name in Settings.model_fields}


def test_the_page_names_the_file_that_an_import_reads() -> None:
    assert f"`{JSON_NAME}`" in PAGE
