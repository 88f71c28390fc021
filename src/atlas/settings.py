"""Settings: read once from flags and ATLAS_* variables, frozen, and passed to the code that needs them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import platformdirs
from limits import parse_many
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_dir() -> Path:
    """Returns the default data folder, which holds the embedded database."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # PostgreSQL refuses to run as root and its own user cannot enter root's home.
        return Path("/var/lib/atlas")
    return platformdirs.user_data_path("atlas")


class Settings(BaseSettings):
    """Every setting of the server. `ATLAS_<NAME>` in the environment sets a setting."""

    model_config = SettingsConfigDict(env_prefix="ATLAS_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="Server processes that share the port.")
    data_dir: Path = Field(default_factory=default_data_dir, description="Folder of the embedded PostgreSQL.")
    first_key: Literal["auto", "print", "file"] = Field(
        "auto",
        description="Where the first start shows the first API key: `print` to standard error, `file` in "
        "`data_dir/first.key`; `auto` prints it, but where that is systemd's journal.",
    )
    database_url: str | None = Field(None, description="A PostgreSQL 15+ server to use instead of the embedded one.")
    pool_size: int = Field(10, ge=2, le=200, description="Database connections per process.")
    request_timeout: float = Field(
        60.0, gt=0, description="Seconds that one statement of a request may run in the database."
    )
    max_body_bytes: int = Field(
        512 * 1024 * 1024, gt=0, description="Largest request body, after decompression, in bytes."
    )
    spool_bytes: int = Field(
        48 * 1024 * 1024, gt=0, description="Decoded bytes of one insert kept in memory before disk is used."
    )
    max_page_rows: int = Field(100_000, gt=0, description="Largest `limit` of one page.")
    max_streams: int = Field(2_000, gt=0, description="Live streams that one process serves at once.")
    public_url: str | None = Field(
        None, description="Where clients reach the server, such as `https://data.example.com`; links to pages begin so."
    )
    allowed_hosts: str | None = Field(
        None, description="Names that requests may have as their Host, separated by commas; by default any."
    )
    head_seconds: float = Field(10.0, gt=0, le=3600, description="Seconds in which the head of a request must arrive.")
    stall_seconds: float = Field(
        30.0, gt=0, le=3600, description="Seconds for which a body may bring nothing, or a client read nothing."
    )
    max_connections: int | None = Field(
        None, ge=1, le=1_000_000, description="Connections of one process; by default as open files allow."
    )
    max_address_connections: int | None = Field(
        None, ge=1, le=1_000_000, description="Those of one address; by default half, all where a proxy is in front."
    )
    queue_seconds: float = Field(
        0.5, gt=0, le=60, description="Seconds that a request may wait for others before it is refused."
    )
    read_slots: int = Field(32, ge=1, le=1000, description="Reads and small changes that one process serves at once.")
    insert_slots: int = Field(16, ge=1, le=1000, description="Large inserts that one process receives at once.")
    download_slots: int = Field(32, ge=1, le=1000, description="Downloads that one process sends at once.")
    query_slots: int = Field(4, ge=1, le=100, description="SQL queries that one process runs at once.")
    query_seconds: float = Field(30.0, ge=1, le=3600, description="Seconds that one SQL query may take.")
    query_memory_bytes: int = Field(
        512 * 1024 * 1024,
        ge=64 * 1024 * 1024,
        description="Memory that PostgreSQL may take for one SQL query, where it runs on this machine.",
    )
    rate_limit: str | None = Field(
        None,
        description="Requests per user, with all keys, such as `100/second` or `1000/minute;20/second`. "
        "Off when unset.",
    )
    organization_rate_limit: str | None = Field(
        None, description="Requests per organization, with all its users, as in `rate_limit`. Off when unset."
    )
    max_keys: int = Field(50, ge=1, le=10_000, description="Keys that a user may have at once.")
    line_protocol_partial: bool = Field(
        True, description="Whether the good lines of a write of line protocol are stored beside bad ones."
    )
    jobs: int = Field(2, ge=0, le=64, description="Asynchronous imports and webhooks that one process runs at once.")
    webhook_loopback: bool = Field(False, description="Whether webhooks may go to this machine, for development.")
    webhook_timeout: float = Field(10.0, gt=0, description="Seconds that a webhook's receiver may take.")
    storage_url: str | None = Field(
        None, description="Object storage that smart-import-b2 reads, such as `s3://bucket/prefix`."
    )
    storage_options: dict[str, str] = Field(
        default_factory=dict,
        description='Its options as JSON, such as `{"access_key_id": "…", "secret_access_key": "…", "endpoint": "…"}`.',
    )
    import_slots: int = Field(
        4, ge=1, le=64, description="Files that one process stages at once; each may take some 200 MB of memory."
    )
    reader_memory_bytes: int = Field(
        1024**3,
        ge=64 * 1024**2,
        description="Memory that reading one file may take, in a process of its own, in bytes.",
    )
    reader_cpu_seconds: float = Field(
        60.0, gt=0, description="Processor time that reading one file may take, in seconds, and one more for each MiB."
    )
    reader_seconds: float = Field(600.0, gt=0, description="Seconds until a file must have been read and staged.")
    staged_bytes: int = Field(
        2 * 1024**3, gt=0, description="Largest size of one file's cells as texts, unpacked, in bytes."
    )
    staging_bytes: int = Field(
        8 * 1024**3,
        gt=0,
        description="Bytes that all imports of one process stage at once: half for a user, three quarters for an "
        "organization.",
    )
    rendered_bytes: int = Field(
        2 * 1024**3,
        ge=0,
        description="Bytes of downloads that one process keeps on disk, in `$TMPDIR`, to send parts of (`Range`): a "
        "quarter for a user, half for an organization; 0 sends no parts.",
    )
    file_days: int = Field(30, ge=0, description="How long imported files are kept to be imported again, in days.")
    audit_days: int = Field(365, ge=0, description="How long the audit log is kept, in days; 0 keeps it for good.")
    idempotency_hours: int = Field(24, gt=0, description="How long an Idempotency-Key is remembered, in hours.")
    deleted_days: int = Field(
        7,
        ge=0,
        description="How long deleted rows of datasets are kept for reads of earlier moments (`known_at`), in days.",
    )
    cold_after_days: float = Field(
        7.0,
        ge=0,
        description="Age from which rows of datasets are packed, in days; `inf` packs none, and no large loads.",
    )
    cold_sweep_seconds: float = Field(60.0, gt=0, description="How often old rows are looked for, in seconds.")
    secret_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Secret that encrypts stored credentials; by default made once and kept in `data_dir/secret.key`.",
    )
    model_private_hosts: bool = Field(
        False,
        description="Whether organizations may point the model provider at private or loopback addresses, "
        "such as a local model server.",
    )
    model_provider: Literal["openai", "anthropic"] | None = Field(
        None, description="Model provider of organizations that have set none; `openai` is any server that speaks so."
    )
    model_name: str | None = Field(None, max_length=200, validate_default=True, description="Its model.")
    model_base_url: str | None = Field(None, description="Its address, which may be private; by default its own.")
    model_api_key: SecretStr | None = Field(None, description="Its API key.")
    model_samples: bool = Field(False, description="Whether values of cells are sent to it.")
    model_timeout: float = Field(30.0, ge=1, le=300, description="Seconds that one question to it may take.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines look.")

    @field_validator("rate_limit", "organization_rate_limit")
    @classmethod
    def _check_rate_limit(cls, value: str | None) -> str | None:
        if value:
            parse_many(value)
        return value or None

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        if not value:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be like https://data.example.com")
        return value.rstrip("/")

    @field_validator("model_name")
    @classmethod
    def _check_model(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("model_provider") is not None and not value:
            raise ValueError("needed with ATLAS_MODEL_PROVIDER")
        return value
