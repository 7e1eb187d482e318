import pytest

from tests.integration.radio.air import Air


@pytest.fixture
def air(transactional_db: None) -> Air:
    return Air()
