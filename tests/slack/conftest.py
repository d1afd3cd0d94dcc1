"""What tests of Slack share with those of the whole command and of the store."""

from tests.e2e.conftest import environment, run
from tests.storage.conftest import databases, path, pytest_generate_tests, store, url

__all__ = ["databases", "environment", "path", "pytest_generate_tests", "run", "store", "url"]
