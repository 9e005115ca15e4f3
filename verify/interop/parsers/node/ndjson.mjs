// Readers of newline-delimited JSON.
import { createInterface } from "node:readline";

import { JSONParser } from "@streamparser/json";
import byline from "byline";
import ndjsonStream from "can-ndjson-stream";
import fetchNdjson from "fetch-ndjson";
import * as jsonlines from "jsonlines";
import ndjson from "ndjson";
import parseNdjson from "ndjson-readablestream";
import { Ollama } from "ollama/browser";
import split2 from "split2";
import { parser as jsonlParser } from "stream-json/jsonl/parser.js";

import { fromReadable, fromText, fromTransform, fromWebStream } from "./feed.mjs";

async function* map(iterable, toValue) {
    for await (const it of iterable) yield toValue(it);
}

const lines = (input) => createInterface({ input, crlfDelay: Infinity });

export const READERS = {
    "readline, `JSON.parse` per line": fromReadable((input) => map(lines(input), JSON.parse)),
    "readline, `JSON.parse` per line that is not empty": fromReadable(async function* (input) {
        for await (const line of lines(input)) if (line) yield JSON.parse(line);
    }),
    "readline, `JSON.parse` per line that is not blank": fromReadable(async function* (input) {
        for await (const line of lines(input)) if (line.trim()) yield JSON.parse(line);
    }),
    "@streamparser/json": fromText((onEvent, onError) => {
        const parser = new JSONParser({ separator: "", paths: ["$"] });
        parser.onValue = ({ value }) => onEvent(structuredClone(value));
        parser.onError = onError;
        return { feed: (text) => parser.write(text), end: () => parser.isEnded || parser.end() };
    }),
    "byline, `JSON.parse`": fromReadable((input) => map(byline(input), (line) => JSON.parse(line))),
    "can-ndjson-stream": fromWebStream((stream) => ndjsonStream(stream)),
    "fetch-ndjson": fromWebStream((stream) => (fetchNdjson.default ?? fetchNdjson)(stream.getReader())),
    jsonlines: fromTransform(() => jsonlines.parse()),
    ndjson: fromTransform(() => ndjson.parse()),
    "ndjson-readablestream": fromWebStream((stream) => (parseNdjson.default ?? parseNdjson)(stream)),
    ollama: fromWebStream(async function* (stream) {
        const client = new Ollama({ fetch: async () => new Response(stream) });
        try {
            yield* await client.generate({ model: "none", prompt: "", stream: true });
        } catch (error) {
            if (!error.message.startsWith("Did not receive done")) throw error; // these values never say that they are done
        }
    }),
    "split2, `JSON.parse`": fromTransform(() => split2(JSON.parse)),
    "stream-json, `jsonl`": fromTransform(
        () => jsonlParser.asStream(),
        ({ value }) => value,
    ),
};
