"""The floor's server is made of our web server alone; a change of that must not stop the benchmark."""

import json
from http.client import HTTPConnection

from tests.benchmarks.__main__ import Floor


def test_the_floor_inserts_a_row(tmp_path):
    with Floor(tmp_path) as floor:
        connection = HTTPConnection("127.0.0.1", floor.port, timeout=20)
        connection.request("POST", "/insert")
        answer = connection.getresponse()
        assert answer.status == 200
        assert json.loads(answer.read())["Id"] > 0
