"""What the fonts of the PDF do not have is shown by its codes, and the PDF says so; it is never an empty box."""

import re

import typst

from dagster_defs.evidence.glyphs import FONTS, drawable, missing

HAD = "Ångström Łukasz Ελένη Дмитрий שרה محمد — … ≤ → €"
LACKED = "山田太郎 김철수 สมชาย 🚀"


def test_names_in_the_scripts_that_the_fonts_have_stay_as_they_are() -> None:
    assert missing(HAD) == frozenset()
    assert drawable({"rows": [[HAD]]}) == ({"rows": [[HAD]]}, 0)


def test_other_names_are_shown_by_their_codes() -> None:
    assert missing(LACKED) == frozenset(LACKED) - {" "}
    told, replaced = drawable({"rows": [["山田 太郎", "Ada"]], "count": "2"})
    assert (told["rows"], replaced) == ([["‹U+5C71 U+7530› ‹U+592A U+90CE›", "Ada"]], 1)


def test_what_is_left_has_a_glyph_by_the_word_of_typst_itself() -> None:
    """PDF/A-2u refuses text that a font can't draw."""
    told, _ = drawable({"text": f"{HAD} {LACKED} नमस्ते"})
    source = f'#set document(title: "names")\n#set text(font: {FONTS})\n#json(bytes(sys.inputs.text))'.replace("'", '"')
    done = typst.compile(
        source.encode(),
        sys_inputs={"text": f'"{told["text"]}"'},
        ignore_system_fonts=True,
        pdf_standards="a-2u",
        timestamp=0,
    )
    assert re.match(rb"%PDF-1\.7", done)
