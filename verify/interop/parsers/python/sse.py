"""Clients of server-sent events."""

import importlib.util
import json
import sysconfig
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import aiosseclient
import anthropic
import httpx
import httpx2
import httpx_sse
import ld_eventsource
import openai
import requests
import requests_sse
import sseclient
from aiohttp_sse_client2 import client as aiohttp_sse_client2
from ld_eventsource.config import ConnectStrategy
from mistralai.client.utils.eventstreaming import EventStream

from feed import Ended, pull, push

HEADERS = {"content-type": "text/event-stream"}
URL = "http://example.com/"


def event(name, data, id=None, retry=None):
    return {"event": name, "data": data, "id": id, "retry": retry}


def fields(it):
    return event(it.event, it.data, it.id, it.retry)


def ended(*_):
    raise Ended


# --- aiohttp ---


async def of_aiohttp_sse_client2(reader):
    client = aiohttp_sse_client2.EventSource(URL, session=SimpleNamespace(), on_error=ended)
    client._response = SimpleNamespace(status=200, content=reader)
    async for it in client:
        yield event(it.type, it.data, it.last_event_id)


class Session:
    """Enough of an `aiohttp.ClientSession` for aiosseclient."""

    closed = True

    def __init__(self, reader):
        self.response = SimpleNamespace(status=200, content=reader, close=lambda: None)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def get(self, *_, **__):
        return self.response


async def of_aiosseclient(reader):
    with patch("aiosseclient.aiohttp.ClientSession", lambda **_: Session(reader)):
        async for it in aiosseclient.aiosseclient(URL):
            yield fields(it)


# --- requests ---


class Raw:
    """What `requests` reads from, with `stream` and `read` as those of urllib3."""

    def __init__(self, chunks):
        self.chunks = chunks

    def stream(self, *_, **__):
        return self.chunks

    def read(self, *_, **__):
        return next(self.chunks)

    def close(self):
        pass


def response_of_requests(chunks):
    response = requests.Response()
    response.status_code, response.encoding, response.url = 200, "utf-8", URL
    response.headers["content-type"] = "text/event-stream"
    response.raw = Raw(iter(chunks))
    return response


def of_requests_sse(source):
    response = response_of_requests(source)
    session = SimpleNamespace(request=lambda **_: response)
    client = requests_sse.EventSource(URL, session=session, on_error=ended)
    client.connect()
    for it in client:
        yield event(it.type, it.data, it.last_event_id)


def module_sseclient():
    """The package sseclient, whose module is hidden behind that of sseclient-py."""
    path = Path(sysconfig.get_path("purelib")) / "sseclient.py"
    spec = importlib.util.spec_from_file_location("sseclient_of_btubbs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SSECLIENT = module_sseclient()


def of_sseclient(source):
    response = response_of_requests(source.then_ended())
    client = SSECLIENT.SSEClient(URL, session=SimpleNamespace(get=lambda *_, **__: response))
    return map(fields, client)


def of_sseclient_py(source):
    return map(fields, sseclient.SSEClient(source).events())


# --- httpx and httpx2 ---


def of_httpx_sse(source):
    response = httpx.Response(200, headers=HEADERS, content=iter(source))
    return map(fields, httpx_sse.EventSource(response).iter_sse())


def of_httpx2(source):
    return httpx2.Response(
        200, headers=HEADERS, content=iter(source), request=httpx2.Request("GET", URL)
    )


OPENAI = openai.OpenAI(api_key="none", base_url=URL)


def of_openai(source):
    return openai.Stream(cast_to=object, response=of_httpx2(source), client=OPENAI)


def of_anthropic(source):
    return map(fields, anthropic.Stream.raw_events(of_httpx2(source)))


def of_mistralai(source):
    return EventStream(of_httpx2(source), decoder=json.loads)


# --- others ---


class Strategy(ConnectStrategy):
    def __init__(self, source):
        self.source = source

    def create_client(self, logger):
        return self

    def connect(self, last_event_id):
        return ld_eventsource.config.ConnectionResult(self.source.then_ended(), None)

    def close(self):
        pass


def of_launchdarkly(source):
    client = ld_eventsource.SSEClient(Strategy(source))
    for it in client.events:
        yield event(it.event, it.data, it.last_event_id)


PARSERS = {
    "aiohttp-sse-client2": (push, of_aiohttp_sse_client2),
    "aiosseclient": (push, of_aiosseclient),
    "anthropic, `Stream.raw_events`": (pull, of_anthropic),
    "httpx-sse": (pull, of_httpx_sse),
    "launchdarkly-eventsource": (pull, of_launchdarkly),
    "mistralai, `EventStream`": (pull, of_mistralai),
    "openai, `Stream`": (pull, of_openai),
    "requests-sse": (pull, of_requests_sse),
    "sseclient": (pull, of_sseclient),
    "sseclient-py": (pull, of_sseclient_py),
}
