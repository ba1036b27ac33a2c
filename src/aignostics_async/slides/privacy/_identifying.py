"""What in a slide may identify a person. One inspection for all formats. Pure.

A scanner photographs the whole glass, with a label that has a name or the number of a case on it, and puts
the picture into the file. Headers and descriptions name the patient as well. All of it goes to the store, and
to the platform, with the slide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from ...errors import UsageError


class IdentifyingKind(StrEnum):
    """A kind of content in a slide that may identify a person, as `SlideInfo.identifying` lists it.

        info = await read_slide(Slide("case-7.svs"))
        if IdentifyingKind.LABEL in info.identifying:
            print(IdentifyingKind.LABEL.problem)

    The values are the names in lower case: `label`, `macro`, `patient`, `case` and `name`.
    `runs.submit(identifying=...)` takes a policy for each, an `IdentifyingPolicy`.
    """

    LABEL = "label"
    """An image of the label on the glass."""
    MACRO = "macro"
    """An image of the whole glass, which may show the label."""
    PATIENT = "patient"
    """A header or description that names the patient."""
    CASE = "case"
    """A header or description with a barcode, an accession number, the text of a label, or the name of a
    physician or operator.
    """
    NAME = "name"
    """A file, folder or reference named after a person, or after a date of birth."""

    @property
    def problem(self) -> str:
        """The description of the problem for people, such as "its header names the patient"."""
        return _PROBLEMS[self]

    @property
    def remedy(self) -> str:
        """Advice for people on what to do about it.

        For NAME it is to rename the slide or to use pseudonyms, for the others to anonymise a copy.
        """
        return _RENAME if self is IdentifyingKind.NAME else _ANONYMISE


_PROBLEMS = {
    IdentifyingKind.LABEL: "it holds a picture of its label",
    IdentifyingKind.MACRO: "it holds a picture of the whole glass, which may show the label",
    IdentifyingKind.PATIENT: "its header names the patient",
    IdentifyingKind.CASE: "its header holds a barcode, an accession number, the text of its label, or the "
    "name of a physician or operator",
    IdentifyingKind.NAME: "its name, or that of its folder, may be a person's or hold a date of birth",
}
_ANONYMISE = "if it must not leave your institution, anonymise a copy and submit that"
_RENAME = "references and object keys are sent with the slide; rename it, or let references be pseudonyms"


class IdentifyingPolicy(StrEnum):
    """The policy for a slide that may identify a person.

        policies = {"label": "allow", "patient": "refuse"}
        await client.runs.submit(version, items, store=store, identifying=policies)

    `warn` sends the slide with a warning, `refuse` treats it as a fault, and `allow` sends it without a
    warning. A text is accepted in place of a member. By default a slide whose header or description names the
    patient is refused, and one with content of another `IdentifyingKind` is sent with a warning.
    """

    WARN = "warn"
    """Send the slide with a warning; the default for all kinds but `patient`."""
    REFUSE = "refuse"
    """Treat the content as a fault: the slide is not sent. The default for `patient`.

    `runs.submit` sends no slide then; a bulk job can quarantine it.
    """
    ALLOW = "allow"
    """Send the slide without a warning."""


Policies = Mapping[IdentifyingKind, IdentifyingPolicy]
_DEFAULT: Policies = {
    **dict.fromkeys(IdentifyingKind, IdentifyingPolicy.WARN),
    IdentifyingKind.PATIENT: IdentifyingPolicy.REFUSE,
}


def as_policies(value: str | Mapping[str, str] | None) -> dict[IdentifyingKind, IdentifyingPolicy]:
    """Return the policy for each kind; raises UsageError.

    `value` is one policy for all kinds, or a mapping from kinds to policies, such as
    `{"label": "allow", "patient": "warn"}`. Where nothing is said, headers that name the patient are refused,
    and all else is warned of.
    """
    told = dict.fromkeys(IdentifyingKind, value) if isinstance(value, str) else value
    told = {} if told is None else told
    try:
        given = {IdentifyingKind(kind): IdentifyingPolicy(policy) for kind, policy in told.items()}
    except (ValueError, AttributeError):
        kinds, policies = ", ".join(IdentifyingKind), ", ".join(IdentifyingPolicy)
        raise UsageError(
            f"identifying is one of {policies}, or a mapping from {kinds} to one of them, not {value!r}"
        ) from None
    return {**_DEFAULT, **given}


_PICTURES = (
    (re.compile(r"label|barcode|etikett", re.IGNORECASE), IdentifyingKind.LABEL),
    (re.compile(r"macro|overview|localizer|slide ?preview", re.IGNORECASE), IdentifyingKind.MACRO),
)


def picture_kinds(names: Iterable[str]) -> Iterator[IdentifyingKind]:
    """Give the kinds of pictures with these names."""
    for name in names:
        for pattern, kind in _PICTURES:
            if pattern.search(name):
                yield kind
                break


# Words that stand where a name was. Possessive: a text of many of them would take for ever otherwise.
_REMOVED = re.compile(
    r"(?:(?:anon|pseudon)[\w-]*+|de-?identified|removed|redacted|unknown|none|n/?a|x|patient|\W|_)*+",
    re.IGNORECASE,
)


def says_something(value: object) -> bool:
    """Whether a value is there, and no word that stands where a name was."""
    return value is not None and not _REMOVED.fullmatch(str(value).strip())


# Descriptions of all vendors: `Patient = Doe`, `"barcode": "4711"`, `Patient="Doe"`, `<Barcode>4711<`,
# `<Key>Patient</Key><Value>Doe<`, `"patient": {"name": "Doe"`, `<Patient><Name>Doe<`.
_FIELD = re.compile(
    r"(?P<patient>pati[eë]nt(?!identityremoved|orientation)\w*|pa(?:[cz]i|cj)ente?\w*"
    r"|(?:pat|pt)[ _.-]?(?:name|id)|mrn|medical record ?(?:id|no|number)?|hospital ?(?:id|no|number)"
    r"|date ?of ?birth|birth ?date|dob"
    r"|geburts?datum|date de naissance|fecha de nacimiento|data di nascita|geboortedatum"
    r"|(?:last|first|family|given|full)[ _-]?name|surname|nachname|vorname|familienname|pr[eé]nom|cognome"
    r"|fødselsdato|födelsedat\w*|syntymäaika|data de nascimento|doğum tarihi|data urodzenia"
    r"|datum narozen\w*|дата рождения|生年月日|出生日期|생년월일|personnummer|fødselsnummer|kennitala|pesel"
    r"|codice fiscale|(?:kranken)?versicherten?(?:nr|nummer)|krankenversicherungs(?:nr|nummer)"
    r"|apellidos?|achternaam|ssn|nhs ?(?:no|number)|пациент\w*|фамилия|患者\w*|氏名|姓名|病人\w*|환자\w*"
    r"|pasient\w*|potilas\w*|hasta(?: ?ad[ıi])?|beteg\w*|bệnh nhân"
    r"|ασθεν\w*|مريض|المريض|מטופל\w*|ผู้ป่วย|रोगी)"
    r"|(?P<case>barcode\w*|accession\w*#?|case ?(?:id|no|number|name)|case(?=\s?[=:])|label ?text"
    r"|slide ?label|specimen ?(?:id|no|number)|fall ?(?:nr|nummer)|befund ?(?:nr|nummer)"
    r"|eingangs ?(?:nr|nummer)|histo(?:logie)?[ -]?(?:nr|nummer)|pim_dp_ufs_barcode|physician\w*"
    r"|pathologist|surgeon|doctor|operator ?name)",
    re.IGNORECASE,
)
_END_TAG = re.compile(r"</(?:\w+:)?\Z")
_VALUE = re.compile(
    r"""(?:["'][^<>]{0,200}>|[\w .#]{0,30}"""
    r"""(?:["']?[^\S\n]*[=:>：＝]|</[\w:]{1,40}>\s{0,40}<(?!/)[^<>]{0,200}(?<!/)>))"""
    r"""(?:\s{0,40}(?:<[^/<>][^<>]{0,200}(?<!/)>|[\[{]|(?<=[\[{\s])["']\w{1,40}["']\s?:)){0,4}"""
    r"""[^\S\n]*["']?(?P<value>[^|;\n"'<>]{0,200})"""
)


# The pictures that Philips's scanners put into their description.
_DESCRIBED_PICTURES = {"LABELIMAGE": IdentifyingKind.LABEL, "MACROIMAGE": IdentifyingKind.MACRO}


def description_kinds(text: str) -> Iterator[IdentifyingKind]:
    """Give what the description of a picture says of a person, in any of the forms that vendors use."""
    yield from (kind for word, kind in _DESCRIBED_PICTURES.items() if f">{word}<" in text)
    for name in _FIELD.finditer(text):
        before = text[max(0, name.start() - 40) : name.start()]
        value = _VALUE.match(text, name.end())
        is_part = before[-1:].isalnum() or _END_TAG.search(before)
        if is_part or value is None or not says_something(value["value"]):
            continue
        yield IdentifyingKind.PATIENT if name["patient"] else IdentifyingKind.CASE
