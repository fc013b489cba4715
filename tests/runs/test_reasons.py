"""Why a program failed, as a run's message says it."""

import textwrap

import pytest

from runs.steps.reasons import build_failure, last_words

STACK = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    f()\n'


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (f"epoch 1\n{STACK}ValueError: no rows\n", "ValueError: no rows"),
        (f"{STACK}ValueError: first\nsecond\n  third\n", "ValueError: first"),
        (f"{STACK}ValueError: \nAll the 5 fits failed.\n", "ValueError: All the 5 fits failed."),
        (f"{STACK}KeyboardInterrupt\n", "KeyboardInterrupt"),
        (f"10%|#\r 50%|##### |{STACK}ValueError: x\n", "ValueError: x"),
        (f"{STACK}ValueError: x\n\r 50%|##### | 5/10", "ValueError: x"),
        (f"\x1b[31m{STACK}\x1b[1;35mValueError\x1b[0m: \x1b[35mx\x1b[0m\n", "ValueError: x"),
        (
            f"{STACK}KeyError: 'a'\n\nDuring handling of the above exception, another exception"
            f" occurred:\n\n{STACK}RuntimeError: b\n",
            "RuntimeError: b",
        ),
        (
            f"{STACK}SyntaxError: no\n\nThe above exception was the direct cause of the following"
            f" exception:\n\n{STACK}  File 'b.py', line 2\n    x x\n      ^\nValueError: c\n",
            "ValueError: c",
        ),
        (
            "[rank0]: Traceback (most recent call last):\n[rank0]:   File 'a.py'\n"
            "[rank0]: ValueError: x\n",
            "ValueError: x",
        ),
        ("usage: a.py [-h]\na.py: error: --rate is required\n", "a.py: error: --rate is required"),
        ("loading\n 10%\r 20%\r\n", "20%"),
        ("\x1b[31mfailed\x1b[0m\n\n", "failed"),
        ("", ""),
    ],
)
def test_a_failure_is_told_by_its_own_first_line(output, words):
    assert last_words(output) == words


def test_a_group_of_exceptions_is_told_by_the_group():
    group = textwrap.dedent(
        """\
        before
          + Exception Group Traceback (most recent call last):
          |   File "a.py", line 1, in <module>
          |     raise ExceptionGroup("two", [ValueError(1), TypeError(2)])
          | ExceptionGroup: two (2 sub-exceptions)
          +-+---------------- 1 ----------------
            | Traceback (most recent call last):
            |   File "a.py", line 1, in <module>
            | ValueError: 1
            +---------------- 2 ----------------
            | TypeError: 2
            +------------------------------------
        """
    )
    assert last_words(group) == "ExceptionGroup: two (2 sub-exceptions)"


PACKAGE = """
Resolved 3 packages in 701ms
   Building bad==1.0
error: Failed to build `bad==1.0`
  cause: The build backend returned an error
  cause: Call to `setuptools.build_meta.build_wheel` failed (exit status: 1)

         [stderr]
         src/bad.c:1:10: fatal error: libxml/tree.h: No such file or directory
         Traceback (most recent call last):
           File "<string>", line 14, in <module>
           File "<string>", line 6, in deep
         RuntimeError: libxml2 is not
         installed here

hint: Build failures usually indicate a problem with the package
"""


def test_a_failed_build_tells_its_reason_before_all_else():
    told = build_failure(PACKAGE.strip().split("\n")).split("\n")
    assert told[0] == "Failed to build `bad==1.0`: RuntimeError: libxml2 is not"
    assert "installed here" in told
    assert "src/bad.c:1:10: fatal error: libxml/tree.h: No such file or directory" in told
    assert told[-1].startswith("hint: ")
    assert not [line for line in told if "File " in line or "Traceback" in line]


def test_a_package_that_is_not_there_is_told_in_one_line():
    said = [
        "Using Python 3.11.7 environment at: e",
        "error: No solution found when resolving dependencies",
        "  cause: Because there is no version of six==0.0.99 and you require six==0.0.99, no.",
    ]
    assert build_failure(said) == (
        "No solution found when resolving dependencies: Because there is no version of six==0.0.99"
        " and you require six==0.0.99, no."
    )


def test_what_says_no_error_is_told_as_it_ends():
    assert build_failure(["a", "Killed"]) == "a\nKilled"
