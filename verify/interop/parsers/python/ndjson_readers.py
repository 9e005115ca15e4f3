"""Readers of newline-delimited JSON."""

import io
import json

import httpx
import ijson
import jq
import json_stream
import jsonlines
import msgspec
import ndjson
import ollama
import orjson
import pandas
import polars

from feed import pull, push
from sse import response_of_requests


def loads_per_line(source):
    return map(json.loads, source.lines())


def loads_if_not_empty(source):
    lines = (line.rstrip(b"\r\n") for line in source.lines())
    return (json.loads(line) for line in lines if line)


def loads_if_not_blank(source):
    return (json.loads(line) for line in source.lines() if line.strip())


def orjson_per_line(source):
    return map(orjson.loads, source.lines())


def of_requests(source):
    return (json.loads(line) for line in response_of_requests(source).iter_lines() if line)


def of_httpx(source):
    return map(json.loads, httpx.Response(200, content=iter(source)).iter_lines())


async def of_aiohttp(reader):
    async for line in reader:
        yield json.loads(line)


def of_ollama(source):
    answer = httpx.MockTransport(lambda _: httpx.Response(200, content=iter(source)))
    client = ollama.Client(transport=answer)
    return client._request(dict, "POST", "/api/generate", json={}, stream=True)


def of_pandas(source):
    frame = pandas.read_json(io.BytesIO(source.readall()), lines=True)
    return json.loads(frame.to_json(orient="records"))


def of_polars(source):
    return polars.read_ndjson(source.readall()).to_dicts()


JQ = jq.compile(".")

PARSERS = {
    "`json.loads` per line": (pull, loads_per_line),
    "`json.loads` per line that is not empty": (pull, loads_if_not_empty),
    "`json.loads` per line that is not blank": (pull, loads_if_not_blank),
    "aiohttp, `json.loads` per line": (push, of_aiohttp),
    "httpx, `iter_lines` and `json.loads`": (pull, of_httpx),
    "requests, `iter_lines` and `json.loads` if not empty": (pull, of_requests),
    "orjson per line": (pull, orjson_per_line),
    "ijson": (pull, lambda source: ijson.items(source, "", multiple_values=True, use_float=True)),
    "jq": (pull, lambda source: JQ.input_text(source.readall().decode())),
    "json-stream": (
        pull,
        lambda source: map(json_stream.to_standard_types, json_stream.load_many(source)),
    ),
    "jsonlines": (pull, lambda source: jsonlines.Reader(source.lines())),
    "jsonlines, `skip_empty`": (
        pull,
        lambda source: jsonlines.Reader(source.lines()).iter(skip_empty=True),
    ),
    "msgspec, `decode_lines`": (
        pull,
        lambda source: msgspec.json.Decoder().decode_lines(source.readall()),
    ),
    "ndjson": (pull, lambda source: ndjson.reader(io.TextIOWrapper(source.lines(), "utf-8"))),
    "ollama": (pull, of_ollama),
    "pandas, `read_json`": (pull, of_pandas),
    "polars, `read_ndjson`": (pull, of_polars),
}
