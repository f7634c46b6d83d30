"""Where a shared lake is: a catalogue in PostgreSQL, files in a bucket; each one URL, checked."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

_CATALOGUE = re.compile(
    r"postgresql://(?P<user>[^:@/?#\s]+)(?P<password>:[^@]*)?@"
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(:(?P<port>[1-9][0-9]{0,4}))?"
    r"/(?P<database>[^/?#\s]+)"
)
_BUCKET = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/(?P<prefix>[^?#\s]*))?")
_ENDPOINT = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(:[1-9][0-9]{0,4})?/?")
_URL = {"json_schema_input_type": str}


class CatalogueAddress(BaseModel):
    """A PostgreSQL database: `postgresql://busway@db.example:5432/busway`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str
    host: str
    port: int = 5432
    database: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"postgresql://{self.user}@{host}:{self.port}/{self.database}"


class BucketAddress(BaseModel):
    """A place in an object store: `s3://telemetry/busway`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: str
    prefix: str = ""

    @property
    def path(self) -> str:
        """Bucket and prefix, as a file system names them."""
        return f"{self.bucket}/{self.prefix}".rstrip("/")

    def __str__(self) -> str:
        return f"s3://{self.path}"


def parse_catalogue(text: object) -> object:
    """Turn a URL into a CatalogueAddress's fields; anything but a string is left to pydantic.

    Raises:
        ValueError: naming what is wrong, without quoting a password.
    """
    if not isinstance(text, str):
        return text
    url = _CATALOGUE.fullmatch(text)
    if url is None:
        raise ValueError(f"{text!r} is not of the form postgresql://USER@HOST[:PORT]/DATABASE")
    if url["password"]:
        raise ValueError("a password stands in the postgresql:// URL; put it under password")
    return {
        "user": url["user"],
        "host": url["host"].strip("[]"),
        "port": int(url["port"] or 5432),
        "database": url["database"],
    }


def parse_bucket(text: object) -> object:
    """Turn a URL into a BucketAddress's fields; anything but a string is left to pydantic.

    Raises:
        ValueError: it is no s3:// URL of a bucket.
    """
    if not isinstance(text, str):
        return text
    url = _BUCKET.fullmatch(text)
    if url is None:
        raise ValueError(f"{text!r} is not of the form s3://BUCKET[/PREFIX]")
    return {"bucket": url["bucket"], "prefix": (url["prefix"] or "").strip("/")}


def _known_endpoint(text: str) -> str:
    if not _ENDPOINT.fullmatch(text):
        raise ValueError(f"{text!r} is not of the form https://HOST[:PORT] or http://HOST[:PORT]")
    return text.rstrip("/")


CatalogueUrl = Annotated[CatalogueAddress, BeforeValidator(parse_catalogue, **_URL)]
"""A CatalogueAddress that a file writes as a URL."""
BucketUrl = Annotated[BucketAddress, BeforeValidator(parse_bucket, **_URL)]
"""A BucketAddress that a file writes as a URL."""
EndpointUrl = Annotated[str, AfterValidator(_known_endpoint)]
"""An object store's own address; https or http says whether it is spoken to over TLS."""
