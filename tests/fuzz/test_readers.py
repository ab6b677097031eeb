"""Whatever a file holds, it is read, or refused in one clear line, within the limits."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from dashboard import selection
from tests.data.readers.files import write
from tests.fuzz.inputs import LINK_VALUES, Files
from tests.fuzz.limits import limited, read_or_refuse
from tests.fuzz.readers import READERS

EXAMPLES = 2_000 if settings.get_current_profile_name() == "fuzz" else 100
fuzzing = settings(
    # a failure is a fault of the reader, and a smaller example takes minutes to find
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", READERS)
@fuzzing
@given(data=st.data())
def test_a_reader_reads_or_refuses(name: str, data: st.DataObject):
    reader = READERS[name]
    files = data.draw(reader.files())
    with tempfile.TemporaryDirectory() as folder:
        read_or_refuse(reader.read, write(Path(folder), files))


@pytest.mark.parametrize("name", READERS)
def test_some_inputs_are_read_and_some_refused(name: str):
    """A property about refusals would hold for a reader that refuses everything."""
    outcomes = list[bool]()

    @settings(max_examples=50, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(files=READERS[name].files())
    def count(files: Files) -> None:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(read_or_refuse(READERS[name].read, write(Path(folder), files)) is None)

    count()
    assert sum(outcomes) >= 3
    assert name == "pages" or not all(outcomes)


LINKS = st.dictionaries(
    st.sampled_from(sorted(selection.known(dict.fromkeys(selection._TYPES, "")))) | st.text(),
    LINK_VALUES,
    max_size=12,
)


@fuzzing
@given(LINKS)
@example({"dimension": "9" * 5000})
@example({"text": "x" * 10**6})
def test_a_link_gives_a_selection_that_its_own_link_gives_again(parameters: dict[str, str]):
    with limited():
        chosen = selection.parse(parameters)
        assert selection.parse(selection.parameters(chosen)) == chosen
        selection.excluded_ids(chosen.dropped, ["d1", "d2"])
