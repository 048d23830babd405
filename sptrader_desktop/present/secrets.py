"""Text without what must not leave the computer: passwords in addresses, tokens and keys. The log and all diagnostics go through here.

It errs towards hiding: an address loses all that stands before its last @.
"""

import re
from collections.abc import Callable

HIDDEN = "***"
_WORDS = "passw(?:or)?d|passwd|pwd|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credentials?|authorization"
_NAME = rf"(?<![\w.-])[\w.-]{{0,64}}?(?:{_WORDS})[\w.-]{{0,64}}"  # from where a word begins, so that long lines take no long time


def _keeping_first(found: re.Match[str]) -> str:
    return f"{found[1]}{HIDDEN}"


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), HIDDEN),
    # What a header sends, before names are looked at: `Authorization: Bearer …` is two words.
    (re.compile(r"\b((?:bearer|basic|digest)\s+)[\w.~+/=-]{6,}", re.IGNORECASE), _keeping_first),
    (re.compile(r"((?<![\w+.-])[A-Za-z][\w+.-]{0,32}://)[^\s\"'<>|]{0,1000}(?=@)"), _keeping_first),
    # name=value, name: value, "name": "value"; a quoted value ends with its quote, another with white space or a separator.
    (re.compile(rf"({_NAME}[\"']?\s*[=:]\s*)\"(?:[^\"\\]|\\.)*\"?", re.IGNORECASE), _keeping_first),
    (re.compile(rf"({_NAME}[\"']?\s*[=:]\s*)'(?:[^'\\]|\\.)*'?", re.IGNORECASE), _keeping_first),
    (re.compile(rf"({_NAME}[\"']?\s*[=:]\s*)(?!bearer |basic |digest |[\"'])[^\s,;&\"'}}\])]+", re.IGNORECASE), _keeping_first),
    # How brokers write theirs: two runs of 32 hexadecimal digits.
    (re.compile(r"\b[0-9a-f]{32}-[0-9a-f]{32}\b", re.IGNORECASE), HIDDEN),
)


def without_secrets(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
