"""buildah as it answers now and then: what it says of a container that goes just then, and what that costs."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from images import builder
from images.builder import Buildah
from images.errors import ImageError

GONE = "`buildah containers` failed: Error: reading build containers: container not known"


def answering(monkeypatch: pytest.MonkeyPatch, *answers: str) -> Buildah:
    """A buildah that gives these answers, of which those that say so are failures; time does not pass."""
    left = list(answers)

    def read(_: Sequence[str]) -> str:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if "failed" in answer:
            raise ImageError(answer)
        return answer

    monkeypatch.setattr(builder, "read", read)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return Buildah(store=Path("store"), base="base")


def test_containers_are_listed_again_when_one_has_gone_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answering(monkeypatch, GONE, GONE, "one\ntwo\n").containers() == ["one", "two"]


def test_a_store_that_cannot_be_read_is_an_error_at_once_and_one_that_stays_odd_is_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ImageError, match="permission denied"):
        answering(monkeypatch, "`buildah containers` failed: permission denied", "one").containers()
    with pytest.raises(ImageError, match="not known"):
        answering(monkeypatch, GONE).containers()
