import copy
import json

import pytest

from studio.core import numbers

LOST = ["1.10", "3.10", "0.00001", "1e3", "1E3", "1e-05", "1e+16", "-0", "-0.0", "12345678.90"]
PLAIN = ["1.1", "20", "0.5", "-3", "100000000000000000000", "1234567.89"]


@pytest.mark.parametrize("text", [*LOST, *PLAIN])
def test_a_number_where_a_text_is_wanted_is_as_it_was_written(text):
    number = numbers.loads(text)
    assert str(number) == f"{number}" == text
    assert number == json.loads(text)


@pytest.mark.parametrize("text", [*LOST, *PLAIN])
def test_what_is_stored_reads_as_it_was_written(text):
    kept = json.loads(json.dumps(numbers.storable(numbers.loads(f'{{"a": [{text}]}}'))))
    assert str(kept["a"][0]) == text


@pytest.mark.parametrize("text", PLAIN)
def test_what_json_writes_again_as_it_was_stays_a_number(text):
    assert type(numbers.storable(numbers.loads(text))) in (int, float)


def test_it_goes_on_as_a_number():
    number = numbers.loads("1.10")
    assert (number + 1, hash(number), json.dumps(number)) == (2.1, hash(1.1), "1.1")
    assert str(copy.deepcopy(number)) == "1.10"


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1" + 400 * "0"])
def test_a_number_beyond_a_double_is_refused(text):
    with pytest.raises(ValueError, match="too large"):
        numbers.loads(text)
