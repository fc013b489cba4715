import pytest

from tests.supervisor.marked import MarkedStudio
from tests.waiting import wait_for


@pytest.fixture(scope="package")
def live(tmp_path_factory):
    studio = MarkedStudio(tmp_path_factory.mktemp("up"))
    with studio:
        wait_for(
            lambda: "Ctrl-C" in studio.printed(), seconds=10, what="the last line of the start"
        )
        yield studio
    assert not studio.processes()
