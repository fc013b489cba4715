"""Patterns of paths: what they mean, and that none of them can be made to take for ever."""

import pytest

from endpoints.data.places import matches


@pytest.mark.parametrize(
    ("pattern", "path", "is_meant"),
    [
        ("a/b.csv", "a/b.csv", True),
        ("a.b", "axb", False),
        ("a", "a/b", False),
        ("*.csv", "b.csv", True),
        ("*.csv", "a/b.csv", False),
        ("a/*/c", "a/b/c", True),
        ("a/*/c", "a/c", False),
        ("a*c", "abcbc", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a?c", "ac", False),
        ("**", "a/b/c", True),
        ("**/c", "c", True),
        ("**/c", "a/b/c", True),
        ("**/c", "a/bc", False),
        ("a/**/c", "a/c", True),
        ("a/**/**/c", "a/b/c", True),
        ("a/**", "a/b/c", True),
        ("a/**", "b/a/c", False),
        ("**/a*/**/c.*", "x/ab/y/z/c.csv", True),
        ("**a*c", "a/abc", True),
        ("a**/b", "ax/y/b", True),
        ("a**/b", "ab", False),
        ("[a]", "[a]", True),
        ("[a]", "a", False),
        ("", "", True),
        ("*", "", True),
        ("?", "", False),
    ],
)
def test_what_a_pattern_means(pattern, path, is_meant):
    assert matches(path, [pattern]) is is_meant


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("**/a/" * 199 + "b", "a/" * 499 + "a"),
        ("*a" * 499 + "b", "a" * 1000),
        ("**/*a" * 199 + "b", "a/" * 499 + "a"),
        ("*?" * 499 + "b", "a" * 1000),
    ],
)
def test_no_pattern_is_tried_in_all_its_ways(pattern, path):
    """One by one, they are more than anybody could wait for."""
    assert not matches(path, [pattern])
    assert matches(path, [pattern[:-1] + "**"])
