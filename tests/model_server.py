"""A model provider on loopback that does as it is told: OpenAI's chat completions and Anthropic's messages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

ENDS = (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError)


@dataclass(frozen=True)
class Received:
    """A request as it came. body: decoded from JSON; raw: its bytes, with the head."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    raw: bytes

    @property
    def anthropic(self) -> bool:
        return self.path.endswith("/messages")


Reply = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def http(status: int, body: bytes | str, **headers: str) -> bytes:
    """A whole response."""
    content = body.encode() if isinstance(body, str) else body
    given = {"content-type": "application/json", "content-length": str(len(content))} | headers
    lines = [f"HTTP/1.1 {status} Told", *(f"{name.replace('_', '-')}: {value}" for name, value in given.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def completion(request: Received, *, arguments: Any = None, text: str | None = None, reason: str | None = None) -> str:
    """The JSON of an answer: a call of the tool that was offered, or a text."""
    called = text is None
    if request.anthropic:
        block = {"type": "tool_use", "id": "toolu_1", "name": "answer", "input": arguments}
        told: dict[str, Any] = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "stop_sequence": None,
            "content": [block if called else {"type": "text", "text": text}],
            "stop_reason": reason or ("tool_use" if called else "end_turn"),
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        return json.dumps(told)
    passed = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = {"id": "call_1", "type": "function", "function": {"name": "answer", "arguments": passed}}
    message = {"role": "assistant", "content": text} | ({"tool_calls": [call]} if called else {})
    choice = {"index": 0, "message": message, "finish_reason": reason or ("tool_calls" if called else "stop")}
    return json.dumps(
        {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
    )


def say(arguments: Any) -> Reply:
    """Calls the tool `answer`. A text is sent as it is, so it may be broken JSON."""

    async def reply(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http(200, completion(request, arguments=arguments)))

    return reply


def write(text: str, reason: str | None = None) -> Reply:
    """Answers with a text instead of a call."""

    async def reply(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http(200, completion(request, text=text, reason=reason)))

    return reply


def send(status: int, body: bytes | str = "{}", **headers: str) -> Reply:
    """Any response."""

    async def reply(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http(status, body, **headers))

    return reply


async def silent(request: Received, writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.sleep(60)


async def hang_up(request: Received, writer: asyncio.StreamWriter) -> None:
    """Closes the connection without a word."""


async def break_off(request: Received, writer: asyncio.StreamWriter) -> None:
    """Closes the connection amid the answer."""
    writer.write(http(200, completion(request, arguments={}))[:-20])


async def drip(request: Received, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, so that no read ever times out."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def endless(request: Received, writer: asyncio.StreamWriter) -> None:
    """As much as one takes."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


@dataclass
class ModelServer:
    """A server. replies: what to do, one a request, the last for good; seen: the requests that came."""

    port: int = 0
    replies: list[Reply] = field(default_factory=list)
    seen: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def will(self, *replies: Reply) -> None:
        self.replies, self.seen = list(replies), []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(*ENDS):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:-2])}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                request = Received(lines[0].split(" ")[1], headers, json.loads(body or b"{}"), head + body)
                self.seen.append(request)
                reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                await reply(request, writer)
                await writer.drain()
                if reply in (hang_up, break_off):
                    break
        writer.close()


@contextlib.asynccontextmanager
async def model_server(context: ssl.SSLContext | None = None) -> AsyncIterator[ModelServer]:
    """A running server, with TLS where a context is given."""
    made = ModelServer()
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await made._serve(reader, writer)
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
