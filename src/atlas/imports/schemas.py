"""Answers on imports in the OpenAPI document that no class of the contract can describe."""

from __future__ import annotations

from pydantic import BaseModel, Field

from atlas.contract.imports import ImportDetail


class ImportDetailView(BaseModel):
    """One import."""

    model_config = {"protected_namespaces": ()}
    success: bool
    detail: ImportDetail = Field(alias="import")
