"""The HTTP endpoints of an organization's model provider."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, SecretStr, field_validator

from atlas.accounts.dependencies import CallerDep
from atlas.contract.llm import ModelSettingsView, ModelTestView
from atlas.llm.service import ModelChange, ModelService
from atlas.web.bodies import Body
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.provided import provided

ModelServiceDep = Annotated[ModelService, provided(ModelService)]

router = APIRouter(
    route_class=JsonRoute, prefix="/api/v1/settings/model", tags=["Model provider"], responses=CONTENT_ERRORS
)


class ModelBody(Body):
    """A model provider. `openai` is any server with OpenAI's chat completions API. `none` turns models off."""

    provider: Literal["openai", "anthropic", "none"]
    model: str | None = Field(None, min_length=1, max_length=200, examples=["qwen2.5-coder-7b-instruct"])
    base_url: str | None = Field(None, min_length=1, max_length=2_000, examples=["https://models.example.com/v1"])
    api_key: SecretStr | None = Field(
        None, min_length=1, max_length=1_000, description="Left out, the stored key stays; null removes it."
    )
    samples: bool = Field(False, description="Whether values of cells may be sent to the provider.")
    timeout_seconds: float = Field(30.0, ge=1, le=300, description="How long one question may take.")

    @field_validator("model")
    @classmethod
    def _printable(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise ValueError("must be printable")
        return value

    @field_validator("api_key")
    @classmethod
    def _one_line(cls, value: SecretStr | None) -> SecretStr | None:
        # The key is sent in a header. The error must not show the key.
        text = "" if value is None else value.get_secret_value()
        if not all("!" <= char <= "~" for char in text):
            raise ValueError("must be ASCII without blanks")
        return value


@router.get("", summary="Model settings")
async def get_model(caller: CallerDep, models: ModelServiceDep) -> ModelSettingsView:
    """Returns the model provider and host that answer the questions of your organization."""
    return await models.get(caller)


@router.put("", summary="Set the model")
async def set_model(caller: CallerDep, models: ModelServiceDep, body: ModelBody) -> ModelSettingsView:
    """Replaces the settings. Only for administrators.

    `base_url` must be https and public, unless the operator allows private addresses.
    """
    change = ModelChange(
        body.provider,
        body.model,
        body.base_url,
        None if body.api_key is None else body.api_key.get_secret_value(),
        "api_key" not in body.model_fields_set,
        body.samples,
        body.timeout_seconds,
    )
    return await models.set(caller, change)


@router.delete("", summary="Forget the model")
async def delete_model(caller: CallerDep, models: ModelServiceDep) -> ModelSettingsView:
    """Removes the settings and the key.

    Only for administrators. The answer shows the settings that apply now.
    """
    return await models.delete(caller)


@router.post("/test", summary="Test the model")
async def check_model(caller: CallerDep, models: ModelServiceDep) -> ModelTestView:
    """Makes one tiny call to the model. Only for administrators.

    A call that fails is a 200 with `success` false and the reason.
    """
    return await models.test(caller)
