"""Where a lake is: its catalogue and its files, each on this machine or shared by several."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from facility.site import Bucket, Catalogue
from facility.site import Lake as LakeSettings
from warehouse.bucket_storage import BucketStorage
from warehouse.directory_storage import DirectoryStorage
from warehouse.storage import Storage


@dataclass(frozen=True, slots=True)
class LakeLocation:
    """One lake. Making one reads no secret and does no I/O."""

    directory: Path
    """Of this machine; holds what is not shared, and may not be there where all is."""
    catalogue: Path | Catalogue
    """An SQLite file, or a PostgreSQL database."""
    storage: Storage
    bucket: Bucket | None = None
    """What the storage leads to, where that is an object store: DuckDB reads it by itself."""

    @classmethod
    def of_directory(cls, directory: Path | str) -> Self:
        """A lake that is all in one directory."""
        return cls.of(LakeSettings(directory=Path(directory)))

    @classmethod
    def of(cls, settings: LakeSettings) -> Self:
        """The lake that a site file describes."""
        directory = settings.directory.absolute()
        bucket = settings.bucket
        return cls(
            directory,
            settings.catalogue or directory / "catalogue.sqlite",
            BucketStorage(bucket) if bucket else DirectoryStorage(directory / "data"),
            bucket,
        )

    @property
    def catalogue_name(self) -> str:
        """The catalogue's file or URL."""
        return str(self.catalogue if isinstance(self.catalogue, Path) else self.catalogue.url)

    def __str__(self) -> str:
        return str(self.directory) if isinstance(self.catalogue, Path) else self.catalogue_name
