"""The engine that asks a model. Questions, imports and records come back in the types of the offline engine.

No text of a model is trusted. The text must fit a type, the SQL must pass the caller's check, and the values of a
record must stand in the request. An answer that cannot be used becomes a ModelError, within the time limit of the
settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
import structlog

from atlas.errors import ModelError
from atlas.language.instructions import ImportInstruction
from atlas.language.llm import prompts
from atlas.language.llm.answers import Answer, ImportAnswer, PlanAnswer, ReadyAnswer, RecordAnswer, json_object
from atlas.language.llm.coverage import find_omissions
from atlas.language.llm.packages import Provider, missing_packages
from atlas.language.offline.records.parser import RecordInstruction
from atlas.language.question import Question, QuestionPlan
from atlas.tables.model import Table

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings as Options

BASE_URLS: dict[Provider, str] = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
# How often an answer is sent back for repair: SQL that fails the check, or an answer that does not fit the type.
MAX_REPAIRS = 2
# Limits of tokens for one answer. Models of the providers may reason at length first. A local server refuses a request
# that could outgrow its context, so the limit for custom servers is lower.
MAX_TOKENS, MAX_TOKENS_CUSTOM = 16_000, 4_000
_PING_TOKENS = 1_000
# The key for a server without keys, as the SDKs require a key.
_NO_KEY = "none"
_STATUS_REASONS = {
    400: "it refused the request",
    401: "it refused the API key",
    402: "its quota is used up",
    403: "it refused the API key",
    404: "it does not know the model or the address",
    408: "timed out",
    413: "the request is too long",
    429: "its rate limit or quota is used up",
    529: "it is overloaded",
}

A = TypeVar("A", bound=Answer)
Check = Callable[[A], Awaitable[str | None]]
log = structlog.get_logger()
_loading = threading.Lock()


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The settings of one model.

    base_url: the address of the server. None: the provider's own.
    samples: whether values of cells may be sent to the model.
    timeout: the seconds for one question, repairs included.
    """

    provider: Provider
    model: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    samples: bool = False
    timeout: float = 30.0


class ModelEngine:
    """Asks one model.

    client: the HTTP client for the requests. The client decides which addresses can be reached and how long an answer
    may be. The engine never closes the client.
    """

    def __init__(self, settings: ModelSettings, client: httpx2.AsyncClient) -> None:
        self.settings = settings
        self._client = client

    async def plan(self, question: Question, check: Callable[[str], Awaitable[str | None]]) -> QuestionPlan:
        """Returns a plan whose SQL has passed `check`, or a plan that asks back.

        check: returns None for SQL that can be used, else the reason in words for the model. The model may then try
        twice more. `check` may run the SQL, and that time does not count. An exception of `check` is raised.
        Raises ModelError: when the model gives no usable answer within the time limit.
        """

        async def checked(answer: PlanAnswer) -> str | None:
            problem = None if answer.sql is None else await check(answer.sql)
            return None if problem is None else f"The SQL cannot be used: {problem[:2_000]}"

        _check_length(question.text, prompts.MAX_TEXT)
        # A catalog may have thousands of columns to rank, so the document is made in a thread.
        document = await asyncio.to_thread(prompts.plan_document, question, samples=self.settings.samples)
        plan = (await self._ask(PlanAnswer, prompts.PLAN_RULES, document, checked)).plan()
        if plan.sql is None:
            return plan
        told = " ".join(plan.assumptions).lower()
        missing = [text for text in find_omissions(question, plan.sql) if text.lower() not in told]
        said = tuple(f"{text!r} of the question is not in the query." for text in missing)
        return msgspec.structs.replace(plan, assumptions=(*plan.assumptions, *said))

    async def import_instruction(
        self, text: str, headers: Sequence[str], samples: Sequence[Sequence[str]], tables: Sequence[Table]
    ) -> ImportInstruction:
        """Reads an import instruction by the model.

        headers, samples: of the file, or empty where the file is not known yet. Samples are texts of cells by column,
        and are sent only where the settings allow samples. Columns and values of the answer stand in the text, the
        headers or the tables.
        Raises ModelError: when the model gives no usable answer.
        """
        known = [*headers, *(name for table in tables for each in table.columns for name in (each.name, each.header))]

        async def checked(answer: ImportAnswer) -> str | None:
            return answer.find_invented(text, known)

        _check_length(text, prompts.MAX_TEXT)
        shown = samples if self.settings.samples else None
        document = prompts.import_document(text, headers, shown, tables)
        return (await self._ask(ImportAnswer, prompts.IMPORT_RULES, document, checked)).instruction()

    async def record_instruction(self, text: str, tables: Sequence[Table]) -> RecordInstruction:
        """Reads a text on single records by the model. Each value in the answer stands in the text.

        Raises ModelError: when the model gives no usable answer.
        """

        async def checked(answer: RecordAnswer) -> str | None:
            return answer.find_invented(text)

        _check_length(text, prompts.MAX_RECORD_TEXT)
        document = prompts.record_document(text, tables)
        return (await self._ask(RecordAnswer, prompts.RECORD_RULES, document, checked)).instruction()

    async def ping(self) -> None:
        """Makes one small call, to test the settings.

        Raises ModelError: when the call fails.
        """
        await self._ask(ReadyAnswer, prompts.PING_RULES, "Are you there?", repairs=0, tokens=_PING_TOKENS)

    async def _ask(
        self,
        kind: type[A],
        rules: str,
        document: str,
        check: Check[A] | None = None,
        *,
        repairs: int = MAX_REPAIRS,
        tokens: int = MAX_TOKENS,
    ) -> A:
        """Asks for one typed answer, and sends the answer back up to `repairs` times.

        Raises ModelError: when no answer can be used.
        """
        missing = missing_packages(self.settings.provider)
        if missing is not None:
            raise ModelError(missing)
        run = _Run(kind, check)
        started = time.monotonic()
        try:
            # Loading an SDK takes seconds, once per process. The provider's time limit starts afterwards.
            model = await asyncio.to_thread(self._model)
            async with asyncio.timeout(self.settings.timeout) as run.deadline:
                return await run.answer(model, rules, document, repairs, self._options(model, tokens))
        except Exception as error:
            if run.failed is not None:
                raise run.failed from run.failed.__cause__
            reason = "its answers did not pass the check" if run.refused > repairs else reason_of(error)
            log.warning(
                "model failed",
                provider=self.settings.provider,
                reason=reason,
                error=type(error).__name__,
                seconds=round(time.monotonic() - started, 1),
            )
            # The cause may quote the request or the answer, so the cause is dropped here.
            raise ModelError(reason) from None

    def _options(self, model: Model[Any], tokens: int) -> Options:
        custom = self.settings.provider == "openai" and self.settings.base_url is not None
        options: Options = {
            "max_tokens": min(tokens, MAX_TOKENS_CUSTOM if custom else MAX_TOKENS),
            "max_retries": 0,
            "timeout": self.settings.timeout,
        }
        if _can_be_forced(model):
            options["tool_choice"] = ["answer"]
        if custom and not model.profile.get("openai_supports_reasoning"):
            # Small local models drift at higher temperatures. Models that reason refuse the option.
            options["temperature"] = 0.0
        return options

    def _model(self) -> Model[Any]:
        """Builds the SDK's model.

        All settings are passed, so the SDK reads no keys or addresses from the environment.
        """
        # The packages import each other. A second thread would find the packages half loaded, so only one thread loads.
        with _loading:
            settings = self.settings
            key, url = settings.api_key or _NO_KEY, settings.base_url or BASE_URLS[settings.provider]
            if settings.provider == "anthropic":
                from anthropic import AsyncAnthropic
                from pydantic_ai.models.anthropic import AnthropicModel
                from pydantic_ai.providers.anthropic import AnthropicProvider

                own = AsyncAnthropic(api_key=key, base_url=url, http_client=self._client, max_retries=0)
                return AnthropicModel(settings.model, provider=AnthropicProvider(anthropic_client=own))
            from openai import AsyncOpenAI
            from pydantic_ai.models.openai import OpenAIChatModel
            from pydantic_ai.providers.openai import OpenAIProvider
            from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

            client = AsyncOpenAI(api_key=key, base_url=url, http_client=self._client, max_retries=0)
            provider: Any = OpenAIProvider(openai_client=client)
            if settings.base_url is not None:
                provider = OpenAICompatibleProvider("custom", openai_client=client)
            return OpenAIChatModel(settings.model, provider=provider)


class _Run(Generic[A]):
    """One conversation with the model.

    refused: the number of answers that the check refused.
    failed: the exception that the check raised.
    deadline: when the model's time ends.
    """

    def __init__(self, kind: type[A], check: Check[A] | None) -> None:
        self._kind, self._check = kind, check
        self.refused = 0
        self.failed: Exception | None = None
        self.deadline: asyncio.Timeout | None = None

    async def answer(self, model: Model[Any], rules: str, document: str, repairs: int, options: Options) -> A:
        """Returns the first answer that fits and passes the check, after at most `repairs` other answers."""
        from pydantic_ai import Agent, ModelRetry, TextOutput, ToolOutput
        from pydantic_ai.usage import UsageLimits

        def read(text: str) -> A:
            try:
                return self._kind.model_validate(json_object(text))
            except ValueError:
                raise ModelRetry("Call the tool `answer`, or reply with its JSON object alone.") from None

        outputs: Any = [ToolOutput(self._kind, name="answer", max_retries=repairs), TextOutput(read)]
        agent: Agent[object, A] = Agent(
            model,
            output_type=outputs,
            instructions=rules,
            retries={"tools": repairs, "output": repairs},
            model_settings=options,
        )

        @agent.output_validator
        async def validate(answer: A) -> A:
            problem = await self._problem(answer)
            if problem is not None:
                self.refused += 1
                raise ModelRetry(problem)
            return answer

        found = await agent.run(document, usage_limits=UsageLimits(request_limit=repairs + 1))
        answered: A = found.output
        return answered

    async def _problem(self, answer: A) -> str | None:
        try:
            with _pause(self.deadline):
                return None if self._check is None else await self._check(answer)
        except Exception as error:
            self.failed = error
            raise


@contextlib.contextmanager
def _pause(deadline: asyncio.Timeout | None) -> Iterator[None]:
    """Pauses the model's deadline during a check, since a check may run a query and that time is not the model's."""
    until = None if deadline is None or deadline.expired() else deadline.when()
    if deadline is None or until is None:
        yield
        return
    clock = asyncio.get_running_loop().time
    left = until - clock()
    deadline.reschedule(None)
    try:
        yield
    finally:
        deadline.reschedule(clock() + left)


def _can_be_forced(model: Model[Any]) -> bool:
    """Checks whether the model can be forced to call the tool.

    Other models are asked to, and their texts are read as well.
    """
    profile = model.profile
    thinks = profile.get("thinking_always_enabled") or (
        profile.get("thinking_enabled_by_default") and not profile.get("forced_tool_choice_disables_thinking")
    )
    return bool(
        profile.get("supports_forced_tool_choice", True)
        and (not thinks or profile.get("supports_forced_tool_choice_with_thinking", True))
    )


def _check_length(text: str, most: int) -> None:
    if len(text) > most:
        raise ModelError(f"the text has over {most:,} characters")


def reason_of(error: BaseException) -> str:
    """Returns the reason of a failed call in Atlas's words only, as texts of the provider or the SDK may quote keys and
    cells.
    """
    from pydantic_ai import exceptions

    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ModelError):
            return seen.reason
        if isinstance(seen, TimeoutError):
            return "timed out"
        if isinstance(seen, exceptions.ModelHTTPError):
            return _status_reason(seen.status_code)
        if isinstance(seen, exceptions.ContentFilterError):
            return "it refused to answer"
        if isinstance(seen, exceptions.OutputTokenLimitExceeded):
            return "the answer is too long"
        seen = seen.__cause__ or seen.__context__
    return "its answer could not be used"


def _status_reason(status: int) -> str:
    reason = _STATUS_REASONS.get(status, "it has an error" if status >= 500 else "it refused the request")
    return f"{reason} (HTTP {status})"
