"""The device of the tests of this folder: without it they are skipped."""
import pytest
from on_device import NO_DEVICE, find, running_on


@pytest.fixture
def device(request):
    """The device that ``--device`` names, the first GPU unless it does, on which keraflow runs during the test."""
    found = find(request.config.getoption('--device'))
    if found is None:
        pytest.skip(NO_DEVICE)
    with running_on(found):
        yield found
