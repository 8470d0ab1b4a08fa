"""Names of speech sounds: the IPA of eSpeak NG and the names of flite in our ARPAbet.

Sounds English lacks go to the phone whose lips and jaw look most alike, then sounds most alike: French u is UW, a
trilled r is L (an English R rounds the lips), bilabial fricatives are V.
"""

from __future__ import annotations

import unicodedata

from vultus.audio.phones import SILENCE

UNKNOWN_SOUND = "AH"
"""A sound without a mapping: a neutral open vowel."""

_PAIRS = {
    "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "ɛɪ": "EY", "oʊ": "OW", "əʊ": "OW", "ou": "OW", "ɔɪ": "OY", "ɔʏ": "OY",
    "ɔø": "OY", "tʃ": "CH", "dʒ": "JH", "tɕ": "CH", "dʑ": "JH", "tʂ": "CH", "ʈʂ": "CH", "dʐ": "JH",
}  # fmt: skip
"""Two letters that are one phone."""

_LETTERS = {
    "AA": "aɑ", "AE": "æ", "AH": "ʌɐəɘɤ", "AO": "ɔɒo", "EH": "ɛe", "ER": "ɜɚɝɞ", "IH": "ɪɨᵻɯ", "IY": "i",
    "UH": "ʊøœɵɶ", "UW": "uʉyʏ", "B": "bɓ", "P": "p", "M": "m", "F": "f", "V": "vʋⱱɸβ", "T": "tʈ", "D": "dɖɗɾɽ",
    "N": "nɳɲ", "L": "lɫɭɬɮʟr", "S": "s", "Z": "z", "SH": "ʃʂɕ", "ZH": "ʒʐʑ", "JH": "ɟʄ", "TH": "θ", "DH": "ð",
    "K": "kqc", "G": "gɡɢɠʛʁʀ", "NG": "ŋɴ", "HH": "hɦħxχɣçʔʕʜ", "R": "ɹɻɺ", "W": "wʍɥɰ", "Y": "jʎʝʲ",
}  # fmt: skip
_PHONE_OF = {letter: phone for phone, letters in _LETTERS.items() for letter in letters}

_FLITE = {"pau": SILENCE, "h#": SILENCE, "ax": "AH", "axr": "ER", "ix": "IH", "ux": "UW", "dx": "D", "nx": "N",
          "el": "L", "em": "M", "en": "N", "hv": "HH"}  # fmt: skip


def phones_of_ipa(symbol: str) -> tuple[str, ...]:
    """Phones, in order, of one sound as eSpeak NG names it.

    Empty for marks that are no sound ("(en)" before a foreign word, a lone stress mark); ("SIL",) for a pause.
    """
    if not symbol.strip() or symbol.startswith("_"):
        return (SILENCE,)
    if symbol.startswith("("):
        return ()
    if symbol == "ʲ":
        return ("Y",)
    plain = unicodedata.normalize("NFD", symbol.replace("ɯᵝ", "ʊ"))  # Japanese u is rounded a little
    letters = [c for c in plain if c == "?" or unicodedata.category(c) in ("Ll", "Lo")]  # no stress, length, tone
    phones: list[str] = []
    while letters:
        pair = "".join(letters[:2])
        phones.append(_PAIRS.get(pair) or _PHONE_OF.get(letters[0], UNKNOWN_SOUND))
        letters = letters[2 if pair in _PAIRS else 1 :]
    return (UNKNOWN_SOUND,) if plain.startswith("??") else tuple(phones)


def phone_of_flite(name: str) -> str:
    """The phone of one of flite's (US English) sounds."""
    return _FLITE.get(name, name.upper())
