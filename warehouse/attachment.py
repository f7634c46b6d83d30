"""The statements that attach a lake, and the extensions they need. Pure, but for reading secrets.

ATTACH and CREATE SECRET take no bound parameters, so their values are written as literals here.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from facility.site import Bucket, Catalogue, Tls
from warehouse.location import LakeLocation

ALIAS = "lake"
"""The name a lake is attached under; the SQL files that set its options use it too."""
CATALOGUE_SECRET = "busway_catalogue"  # noqa: S105 - a name
BUCKET_SECRET = "busway_bucket"  # noqa: S105 - a name
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 60
IDLE_TIMEOUT_S = 30
"""How long a sink may pause in the middle of a commit before PostgreSQL ends its transaction: until
then, other sinks' commits wait for it."""


def extensions(location: LakeLocation) -> tuple[str, ...]:
    """Name the DuckDB extensions that this lake takes beside DuckLake itself."""
    is_file = isinstance(location.catalogue, Path)
    catalogue = "sqlite_scanner" if is_file else "postgres_scanner"
    return (catalogue, *(["httpfs"] if location.bucket else []))


def secret_statements(location: LakeLocation) -> list[str]:
    """Write what gives DuckDB the passwords; never to be printed.

    Raises:
        ConfigError: a secret is not where the site file says.
    """
    statements = []
    if isinstance(location.catalogue, Catalogue):
        statements.append(_catalogue_secret(location.catalogue))
    if location.bucket:
        statements += _bucket_secret(location.bucket)
    return statements


def attach_statement(
    location: LakeLocation, *, read_only: bool, as_of: datetime | None = None
) -> str:
    """Write the ATTACH statement.

    The data path is given each time, so a lake may be moved; WAL lets readers and a writer of an
    SQLite catalogue go on side by side.
    """
    options = [f"data_path {literal(location.storage.root)}", "override_data_path true"]
    if isinstance(location.catalogue, Catalogue):
        source = f"postgres:{conninfo(location.catalogue)}"
        options += [f"meta_secret {literal(CATALOGUE_SECRET)}"]
    else:
        source = f"sqlite:{location.catalogue}"
        options += ["meta_journal_mode 'WAL'", "meta_busy_timeout 5000"]
    options += ["read_only"] if read_only else []
    options += [f"snapshot_time {literal(as_of.isoformat(sep=' '))}"] if as_of else []
    return f"attach {literal(f'ducklake:{source}')} as {ALIAS} ({', '.join(options)})"


def conninfo(catalogue: Catalogue, *, may_idle: bool = False) -> str:
    """Write libpq's connection string, without the password.

    `may_idle` is for a transaction that only holds a lock, for as long as it takes.
    """
    idle_timeout_s = 0 if may_idle else IDLE_TIMEOUT_S
    settings = {
        "host": catalogue.url.host,
        "port": catalogue.url.port,
        "dbname": catalogue.url.database,
        "user": catalogue.url.user,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": "busway",
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_S}s"
        f" -c idle_in_transaction_session_timeout={idle_timeout_s}s",
        **(_tls(catalogue.tls) if catalogue.tls else {}),
    }
    return " ".join(f"{name}={_quoted(str(value))}" for name, value in settings.items())


def literal(text: str) -> str:
    """Write text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _catalogue_secret(catalogue: Catalogue) -> str:
    password = f", password {literal(catalogue.password.reveal())}" if catalogue.password else ""
    return f"create or replace secret {CATALOGUE_SECRET} (type postgres{password})"


def _bucket_secret(bucket: Bucket) -> list[str]:
    scheme, _, endpoint = (bucket.endpoint or "https://").partition("://")
    values = {
        "key_id": bucket.access_key.reveal(),
        "secret": bucket.secret_key.reveal(),
        "region": bucket.region,
        "url_style": "path" if bucket.url_style == "path" else "vhost",
        "scope": str(bucket.url),
        **({"endpoint": endpoint} if endpoint else {}),
    }
    given = ", ".join(f"{name} {literal(value)}" for name, value in values.items())
    use_ssl = str(scheme == "https").lower()
    ca_file = (
        [f"set global ca_cert_file = {literal(str(bucket.ca_file))}"] if bucket.ca_file else []
    )
    return [
        *ca_file,
        f"create or replace secret {BUCKET_SECRET} (type s3, {given}, use_ssl {use_ssl})",
    ]


def _tls(tls: Tls) -> dict[str, str]:
    own = {"sslcert": str(tls.certificate_file), "sslkey": str(tls.key_file)}
    return {
        "sslmode": "verify-full" if tls.check_host_name else "verify-ca",
        "sslrootcert": str(tls.ca_file) if tls.ca_file else "system",
        **(own if tls.certificate_file else {}),
    }


def _quoted(value: str) -> str:
    """Quote a value as libpq reads it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
