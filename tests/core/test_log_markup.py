from django.template.defaultfilters import filesizeformat

from studio.core.log_markup import LONGEST_LINE, to_html


def test_everything_is_escaped():
    assert to_html('<b>&"') == "&lt;b&gt;&amp;&quot;"


def test_colours_become_classes_and_other_codes_vanish():
    assert to_html("\x1b[32mok\x1b[0m then\x1b[2K") == '<span class="ansi-32">ok</span> then'
    assert to_html("\x1b[1;91mred\x1b[39m") == '<span class="ansi-31">red</span>'
    assert to_html("\x1b]0;title\x07x\x00") == "x"


def test_a_colour_cannot_break_out_of_its_span():
    assert (
        to_html("\x1b[31m</span><i>\x1b[0m")
        == '<span class="ansi-31">&lt;/span&gt;&lt;i&gt;</span>'
    )


def test_a_progress_bar_shows_its_last_word():
    assert to_html("10%\r50%\r100%\ndone\r\n") == "100%\ndone\n"


def test_trouble_is_marked():
    assert to_html("ValueError: no column").startswith('<span class="e">')
    assert to_html("UserWarning: careful").startswith("UserWarning")
    assert to_html("warning: careful").startswith('<span class="w">')
    assert to_html("terrors of the deep") == "terrors of the deep"


def test_broken_codes_are_not_fatal():
    assert to_html("\x1b[") == "["
    assert to_html("\x1b[99999999999m;x") == ";x"
    assert to_html("") == ""


def test_a_line_of_one_endless_word_is_read_once_and_cut():
    line = "a" * 1_000_000  # a quadratic pattern would take hours over it
    assert to_html(f"{line}\nnext") == (
        f"{line[:LONGEST_LINE]} … {filesizeformat(1_000_000 - LONGEST_LINE)}"
        " more on this line, in the whole file\nnext"
    )
    assert to_html(f"{line}ValueError: x").startswith('<span class="e">')


def test_a_code_of_thousands_of_digits_is_no_colour():
    assert to_html(f"\x1b[{'3' * 5000}mx") == "x"
