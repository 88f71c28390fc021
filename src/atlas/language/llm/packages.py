"""Names the missing packages for model providers. The packages are the extra `llm`, as many servers use no model."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

Provider = Literal["openai", "anthropic"]
_MODULES: dict[Provider, dict[str, str]] = {
    "openai": {"pydantic_ai": "pydantic-ai-slim", "openai": "openai"},
    "anthropic": {"pydantic_ai": "pydantic-ai-slim", "anthropic": "anthropic"},
}
INSTALL = 'pip install --constraint constraints.txt ".[server,llm]"'


def missing_packages(provider: Provider) -> str | None:
    """Names the packages that the server lacks for a provider, and how to install them, in one sentence.

    None: nothing is missing.
    """
    missing = [package for module, package in _MODULES[provider].items() if find_spec(module) is None]
    if not missing:
        return None
    return (
        f"the server lacks the packages that ask models ({', '.join(missing)}); "
        f"its operator installs Atlas's extra llm: {INSTALL} in a checkout of Atlas"
    )
