"""The runs of each data set: rankings of other search engines, by name.

    WORKSPACE/runs.json     data set → name of the run → its file

The files stay where they are, as those of data sets do: a run that is written again is read again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from imrnns_core.config import ENCODER_BASE
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.import_report import ImportReport
from imrnns_core.data.readers.files import SourceFile
from imrnns_core.data.readers.load import reasons
from imrnns_core.data.readers.runs import load_run
from imrnns_core.data.run import Run
from imrnns_core.errors import DataError, LensError
from imrnns_core.io import EDITED, ChangedError, locked, without_checksum, write_checked_json


class RunRegistry:
    """The list of runs in a workspace, `root`."""

    def __init__(self, root: Path) -> None:
        self.path = root / "runs.json"

    def files(self, data: str) -> dict[str, Path]:
        """Return name → file of the runs of a data set, in the order in which they were added.

        Raises:
            DataError: If the list is damaged.
        """
        return {name: Path(file) for name, file in self._read().get(data, {}).items()}

    def load(self, name: str, dataset: Dataset) -> Run:
        """Read a run of a data set.

        Raises:
            LensError: If the data set has no run of this name.
            DataError: If its file cannot be read.
        """
        files = self.files(dataset.name)
        if name not in files:
            raise LensError(
                f"{dataset.name} has no run {name!r}; its runs are {', '.join(files) or 'none'}; "
                f"add one with: imrnns-lens prepare {dataset.name} --run FILE"
            )
        if not files[name].is_file():
            problem = f"the file of the run {name} is missing"
            raise DataError(files[name], problem, "put it back, or remove the run on the page Data")
        return load_run(files[name], name, dataset)

    def add(self, file: Path, dataset: Dataset, name: str = "", strict: bool = False) -> Run:
        """Read a run and add it to the list. It replaces the run of the same name.

        Args:
            file: The file.
            dataset: The data set.
            name: The name of the run; empty for that of the file without its type.
            strict: Accept no irregular record.

        Raises:
            DataError: If the file cannot be read, or the list is damaged. With `strict`, also if a
                record is irregular.
            LensError: If the name is taken by the encoder.
        """
        file = file.expanduser().absolute()
        name = name.strip() or SourceFile(file.name.removesuffix(".gz"), file).stem
        if name == ENCODER_BASE:
            raise LensError(
                f"{file}: a run cannot have the name {name!r}, which means the ranking by the "
                "vectors; give it another one: --run NAME=FILE"
            )
        run = load_run(file, name, dataset)
        report = ImportReport((run.report,))
        if strict and report.irregular:
            problem = f"{report.irregular} irregular records{reasons(report)}"
            raise DataError(file, problem, "correct these records, or leave out --strict")
        with locked(self.path):
            runs = self._read()
            runs.setdefault(dataset.name, {})[name] = str(file)
            self._write(runs)
        return run

    def remove(self, data: str, name: str) -> None:
        """Take a run from the list; its file stays.

        Raises:
            DataError: If the list is damaged.
        """
        with locked(self.path):
            files = self.files(data)
            files.pop(name, None)
            self.put(data, files)

    def put(self, data: str, files: Mapping[str, Path]) -> None:
        """Store name → file of all runs of a data set; nothing is read. The caller has the lock.

        Raises:
            DataError: If the list is damaged.
        """
        runs = self._read()
        if (stored := {name: str(file) for name, file in files.items()}) == runs.get(data, {}):
            return
        runs[data] = stored
        self._write({other: files for other, files in runs.items() if files})

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            record = without_checksum(json.loads(self.path.read_text(encoding="utf-8")))
            return {
                str(data): {str(name): str(file) for name, file in files.items()}
                for data, files in record.items()
            }
        except FileNotFoundError:
            return {}
        except ChangedError as error:
            remedy = f"{EDITED}; else delete the file and add your runs again"
            raise DataError(self.path, str(error), remedy) from None
        except (OSError, ValueError, AttributeError):
            remedy = "delete it and add your runs again"
            raise DataError(self.path, "not a list of runs", remedy) from None

    def _write(self, runs: dict[str, dict[str, str]]) -> None:
        write_checked_json(self.path, runs)
