"""Text that no channel of alerts takes for markup, a mention or a link, whatever format it reads. Pure.

Names of users and teams and the words of refused requests come from outside. Discord, Mattermost and others read
Markdown in plain text, Slack and Google Chat read their own, Teams reads HTML, and Apprise offers no way to switch
mentions off. Escapes differ from channel to channel, and show where they are not understood. So what starts markup is
replaced by a letter that looks the same, and mentions and links are broken by a space of no width.
"""

import re

_BREAK = "\u200b"
_LOOK_ALIKE = str.maketrans(
    {
        "*": "\u2217",
        "~": "\u223c",
        "`": "\u02cb",
        "|": "\u2223",
        "<": "\u2039",
        ">": "\u203a",
    }
)
_UNDERSCORES = re.compile(r"__+|(?<![^\W_])_|_(?![^\W_])")
"""Those that mark emphasis somewhere: doubled, or at an end of a word."""
_BREAKS_AFTER = re.compile(
    r"""
    [@\uff20](?=everyone|here|channel|all)     # mentions of everybody, which Discord reads inside of words too
    | (?<!\w)[@\uff20](?=\S)                   # mentions of a person; what is inside of an address is none
    | (?<!\w)[\#\uff03]                        # tags, channels and headings
    | \](?=[(\[:])                             # links with a text of their own, and their definitions
    | \[(?=/?(?:[bius]|url|img|code|quote|color|size|list|table)[\]=])  # BBCode
    | \)(?=\w+\()                              # `(met)all(met)` of KOOK
    | &(?=\#|\w+;)                             # character references
    | :(?=//)                                  # links
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+'-]+@[\w.-]+[,;]?")
_DOT_OF_A_HOST = re.compile(r"(?<=\w)\.(?=[^\W\d])")
_WORD = re.compile(r"\S+")


def inert(text: str) -> str:
    """Return a text that reads the same and is nothing but text; an e-mail address alone is left as it is."""
    plain = _UNDERSCORES.sub(lambda run: "\u02cd" * len(run[0]), text.translate(_LOOK_ALIKE))
    return _WORD.sub(_without_host, _BREAKS_AFTER.sub(rf"\g<0>{_BREAK}", plain))


def _without_host(word: re.Match[str]) -> str:
    return word[0] if _ADDRESS.fullmatch(word[0]) else _DOT_OF_A_HOST.sub(f".{_BREAK}", word[0])
