"""Open enums, and models that hide what is secret."""

from __future__ import annotations

import copy
import pickle

import pytest

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


def test_case_does_not_matter() -> None:
    assert RunStatus("completed") is RunStatus.COMPLETED
    assert ItemStatus("Error_User") is ItemStatus.ERROR_USER
    with pytest.raises(ValueError, match="None"):
        RunStatus(None)  # type: ignore[arg-type]


def test_what_is_final() -> None:
    assert [status for status in RunStatus if not status.is_final] == ["RECEIVED", "SCHEDULED", "RUNNING"]
    assert [status for status in ItemStatus if not status.is_final] == ["PENDING"]
    assert not RunStatus("PAUSED").is_final
    assert not ItemStatus("PAUSED").is_final


def test_signed_urls_do_not_show() -> None:
    url = "https://host/path?signature=CANARY"
    assert "CANARY" not in repr(InputArtifact("slide", url, {}))
    assert "CANARY" not in repr(OutputArtifact("heatmap", "id", {}, url))
    assert "CANARY" not in repr(Item("a", artifacts=[InputArtifact("slide", url, {})]))


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
    for wrong in (0, -1, (0.25, 0)):
        with pytest.raises(UsageError, match="is a positive number"):
            Slide("a.svs", mpp=wrong)


def test_a_fault_says_where_it_is() -> None:
    assert str(Fault("broken", "case-7", "slide")) == "item 'case-7', artifact 'slide': broken"
    assert str(Fault("there are no items")) == "there are no items"
