"""Open enums, and models that hide what is secret."""

from __future__ import annotations

import copy
import json
import math
import pickle

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

from aignostics_async import (
    ArtifactScope,
    Fault,
    InputArtifact,
    Item,
    ItemStatus,
    OutputArtifact,
    RunStatus,
    Slide,
    UsageError,
)
from aignostics_async.models import OutputArtifactDraft


@pytest.mark.parametrize("kind", [RunStatus, ItemStatus, ArtifactScope])
def test_an_unlisted_value_keeps_its_text(kind: type[RunStatus]) -> None:
    value = kind("PAUSED_FOR_LUNCH")
    assert value == "PAUSED_FOR_LUNCH"
    assert value == kind("PAUSED_FOR_LUNCH")
    assert isinstance(value, kind)
    assert str(value) == f"{value}" == value.value == "PAUSED_FOR_LUNCH"
    assert value not in list(kind)
    assert hash(value) == hash("PAUSED_FOR_LUNCH")
    for twin in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
        assert twin == value
        assert isinstance(twin, kind)
    match value:
        case RunStatus.COMPLETED:
            pytest.fail("it is no listed value")
        case _:
            pass


@pytest.mark.parametrize(
    ("value", "member"),
    [
        (RunStatus("completed"), RunStatus.COMPLETED),
        (ItemStatus("Error_User"), ItemStatus.ERROR_USER),
        (ArtifactScope("item"), ArtifactScope.ITEM),
    ],
)
def test_a_listed_value_in_another_case_keeps_its_text_and_equals_the_member(
    value: RunStatus, member: RunStatus
) -> None:
    text = str(value)
    assert text != member.value
    assert text == value.value == f"{value}" == json.loads(json.dumps(value))
    assert value.name == member.name
    assert value == text
    assert text == value
    assert value == member
    assert member == value
    assert value == member.value
    assert (value != member, text != value) == (False, False)
    assert value != "something else"
    assert value != 3
    assert {value} == {member}
    assert {value: 1}[member] == {member: 1}[value] == 1
    for twin in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert twin == member
        assert str(twin) == text
        assert isinstance(twin, type(member))
    match value:
        case RunStatus.COMPLETED | ItemStatus.ERROR_USER | ArtifactScope.ITEM:
            pass
        case _:
            pytest.fail("it is a listed value")


def test_only_texts_are_read() -> None:
    with pytest.raises(ValueError, match="None"):
        RunStatus(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [RunStatus, ItemStatus, ArtifactScope])
def test_the_name_of_a_listed_value_is_its_text(kind: type[RunStatus]) -> None:
    # Equality and hash are the name's.
    assert [member.name for member in kind] == [member.value for member in kind]
    assert len(set(kind) | {kind(member.lower()) for member in kind}) == len(kind)


def test_what_is_final() -> None:
    assert [status for status in RunStatus if not status.is_final] == ["RECEIVED", "SCHEDULED", "RUNNING"]
    assert [status for status in ItemStatus if not status.is_final] == ["PENDING", "PROCESSING"]
    assert [status for status in RunStatus if not RunStatus(status.lower()).is_final] == [
        "RECEIVED",
        "SCHEDULED",
        "RUNNING",
    ]
    assert ItemStatus("succeeded").is_final
    assert not RunStatus("PAUSED").is_final
    assert not ItemStatus("PAUSED").is_final


def test_signed_urls_do_not_show() -> None:
    url = "https://host/path?signature=PLANTED"
    assert "PLANTED" not in repr(InputArtifact("slide", url, {}))
    assert "PLANTED" not in repr(OutputArtifact("heatmap", "id", {}, url))
    assert "PLANTED" not in repr(Item("a", artifacts=[InputArtifact("slide", url, {})]))


def test_a_draft_becomes_the_model() -> None:
    draft = OutputArtifactDraft("heatmap", "id", {"width": 3}, "https://host/path?signature=PLANTED")
    draft.__class__ = OutputArtifact
    made = OutputArtifact("heatmap", "id", {"width": 3}, "https://host/path?signature=PLANTED")
    assert draft == made
    assert repr(draft) == repr(made)
    assert pickle.loads(pickle.dumps(draft)) == made
    assert evolve(made, download_url=None).download_url is None
    with pytest.raises(FrozenInstanceError):
        draft.name = "another"  # type: ignore[misc]


def test_an_output_reads_its_metadata() -> None:
    artifact = OutputArtifact("a", "id", {"media_type": "image/png", "checksum_crc32c": "4waSgw=="})
    assert artifact.mime_type == "image/png"
    assert artifact.crc32c == "4waSgw=="
    odd = OutputArtifact(
        "a", "id", {"media_type": 3, "mime_type": "text/csv", "checksum_base64_crc32c": None}
    )
    assert odd.mime_type == "text/csv"
    assert odd.crc32c is None
    assert OutputArtifact("a", "id", {}).mime_type == "application/octet-stream"


def test_a_slide_takes_one_resolution_or_two() -> None:
    assert Slide("a.svs", mpp=0.25).mpp == 0.25
    assert Slide("a.svs", mpp=(0.25, 0.5)).mpp == (0.25, 0.5)
    for wrong in (0, -1, math.inf, (0.25, 0)):
        with pytest.raises(UsageError, match="is a positive number"):
            Slide("a.svs", mpp=wrong)


def test_a_fault_says_where_it_is() -> None:
    assert str(Fault("broken", "case-7", "slide")) == "item 'case-7', artifact 'slide': broken"
    assert str(Fault("there are no items")) == "there are no items"
