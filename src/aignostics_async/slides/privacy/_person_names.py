"""Names of files, folders and references that look like a person's. Pure.

They become references and object keys, so they leave with the slide. A guess: it finds names as labs write
them, and is silent about names of tissue, stains, studies, scanners and dates of scans.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import PurePath

from ._identifying import IdentifyingKind
from ._name_lists import GIVEN_NAMES, NO_SURNAMES

# Words that introduce a name: `patient_Meier`; and an id or a date of birth: `MRN 4711`, `geb. 1.2.1950`.
_INTRODUCED = re.compile(
    r"(?<![a-z])(?:patients?|pat|patientin|paciente|paziente|pacjent(?:ka)?|pacient(?:ka)?|pasient|potilas|hasta"
    r"|пациент(?:ка)?|больной|ασθεν[ήη]ς|nachname|vorname|surname|last ?name|first ?name|full ?name)"
    r"(?:[ _.:=-]*name)?[ _.:=-]+(?!id|no|nr|slides?|images?|scans?|data|cohort|level|group|control|comments?"
    r"|info|folders?|lists?|material|samples?|cases?|files?|batch|series|biops|tissue|blocks?|numbers?|consent"
    r"|study|records?)"
    r"[^\W\d_]{3,}"
)
# A father's name in the East, and words of scripts without capitals, which introduce a name without a space.
_PATRONYMIC = re.compile(
    r"(?<![^\W\d_])[А-ЯЁІЇЄ][^\W\d_]+(?:ович|евич|ьич|овна|евна|івна|инична)(?![^\W\d_])"
)
_INTRODUCED_TIGHTLY = re.compile(r"(?:患者|氏名|姓名|病人|환자)[ _.:=-]*[^\W\d_]{2,}")
_NUMBERED = re.compile(
    r"(?<![a-z])(?:mrn|dob|geb(?:oren)?|ssn|born|birth ?date|date ?of ?birth|svnr|nhs)[ _.:=#-]*\d{3,}"
    r"|(?<![a-z])(?:dob|geb(?:oren)?|born|birth ?date|date ?of ?birth)[ _.:=#-]*\d"
)
_DICOM_NAME = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}\^[^\W\d_]{2,}")
_LAST_FIRST = re.compile(r"(?<!\w)[A-Z][^\W\d_]+(?:-[A-Z][^\W\d_]+)?, ?[A-Z][^\W\d_]+")
_DOCTOR = re.compile(r"(?<!\w)(?:Dr|Prof)(?:\. ?|[ _])(?:Dr\. ?)?[A-Z][^\W\d_]{2,}")
# Nobody scanned slides before 2000.
_BIRTH = re.compile(
    r"(?<!\d)(?:19\d\d([-_. ]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])([-_.])(?:0?[1-9]|1[0-2])\2(?:19\d\d))(?!\d)"
)
_NAMES = (_LAST_FIRST, _DOCTOR, _BIRTH, _PATRONYMIC, _INTRODUCED_TIGHTLY)
_WORDS = re.compile(r"[^\W\d_]{2,}")
_TITLES = frozenset({"mr", "mrs", "ms", "herr", "frau", "hr", "fr", "mme", "sig", "sr", "sra"})


def name_kinds(names: Iterable[str | os.PathLike[str]]) -> Iterator[IdentifyingKind]:
    """Give NAME if a file, the folder that it is in, or a reference may be named after a person."""
    if any(is_person(part) for name in names for part in PurePath(name).parts[-2:]):
        yield IdentifyingKind.NAME


def is_person(text: str) -> bool:
    """Whether a short text looks like a person's name or date of birth."""
    text = unicodedata.normalize("NFC", text)
    is_name = any(pattern.search(text) for pattern in _NAMES)
    return is_name or bool(_INTRODUCED.search(text.lower())) or mentions_person(text)


def mentions_person(text: str) -> bool:
    """Whether a text that may say anything names a person, or the number or birth date of one."""
    text = unicodedata.normalize("NFC", text)
    return bool(_DICOM_NAME.search(text) or _NUMBERED.search(text.lower())) or names_person(text)


def names_person(text: str) -> bool:
    """Whether a given name or a title stands beside a word that may be a surname."""
    words = [word for word in _WORDS.findall(_split_camels(text)) if word not in ("Dr", "Prof")]
    for first, second in pairwise(words):
        if _plain(first) in _TITLES and _is_surname(second, like=first):
            return True
        if any(
            _plain(word) in GIVEN_NAMES and _is_surname(other, like=word)
            for word, other in ((first, second), (second, first))
        ):
            return True
    return False


def _is_surname(word: str, *, like: str) -> bool:
    plain = _plain(word)
    is_name = len(plain) > 2 and plain not in NO_SURNAMES
    return is_name and word[:1].isupper() == like[:1].isupper()


def _split_camels(text: str) -> str:
    return re.sub(r"(?<=[^\W\d_])(?=[A-Z][^\W\d_A-Z])", " ", text) if not text.isupper() else text


def _plain(word: str) -> str:
    """Return a word as the list of names has it."""
    lower = word.lower().replace("ß", "ss")
    return "".join(each for each in unicodedata.normalize("NFD", lower) if not unicodedata.combining(each))
