// Clients of server-sent events.
import { _iterSSEMessages } from "@anthropic-ai/sdk/core/streaming";
import { createSseStream } from "@azure/core-sse";
import { getBytes, getLines, getMessages } from "@microsoft/fetch-event-source/lib/cjs/parse.js";
import ServerSentStream from "@server-sent-stream/web";
import { EventSource } from "eventsource";
import { createEventSource } from "eventsource-client";
import { createParser } from "eventsource-parser";
import { events } from "fetch-event-stream";
import { Stream as OpenAiStream } from "openai/streaming";
import { parseServerSentEvents } from "parse-sse";
import { SSE } from "sse.js";
import { createRequire } from "node:module";

import { fromFetch, fromText, fromTransform, fromWebStream } from "./feed.mjs";

// It takes `fetch` when it is imported.
let fetchForPolyfill;
globalThis.fetch = (...request) => fetchForPolyfill(...request);
const { EventSourcePolyfill } = await import("event-source-polyfill");

const { EventSourceStream } = createRequire(import.meta.url)(
    "undici/lib/web/eventsource/eventsource-stream.js",
);

/** The names of events in the streams, which a client must know to listen for them. */
const NAMES = ["message", "a", "b", "ü", "heartbeat"];

const fields = ({ event, data, id, retry }) => ({ event, data, id, retry });
const messageEvent = ({ type, data, lastEventId }) => ({ event: type, data, id: lastEventId });

async function* map(iterable, toEvent) {
    for await (const it of iterable) yield toEvent(it);
}

function ofEventTarget(make) {
    return fromFetch((fetch, onEvent) => {
        const source = make(fetch);
        for (const name of NAMES) source.addEventListener(name, (it) => onEvent(messageEvent(it)));
        return () => source.close();
    });
}

/** Enough of an XMLHttpRequest for sse.js. */
class Request extends EventTarget {
    status = 200;
    responseText = "";
    open() {}
    setRequestHeader() {}
    getAllResponseHeaders = () => "";
    getResponseHeader = () => null;
    send = () => (Request.last = this);
}

const ofSseJs = fromText((onEvent, onError) => {
    globalThis.XMLHttpRequest = Request;
    const source = new SSE("http://example.com/", { start: false });
    for (const name of NAMES) {
        source.addEventListener(name, ({ type, data, id }) => onEvent({ event: type, data, id }));
    }
    source.addEventListener("error", () => onError(new Error("an error event")));
    source.stream();
    const request = Request.last;
    const tell = (type) => request.dispatchEvent(new Event(type));
    return {
        feed: (text) => {
            request.responseText += text;
            tell("progress");
        },
        end: () => tell("load"),
    };
});

export const PARSERS = {
    "@anthropic-ai/sdk": fromWebStream((stream) =>
        map(_iterSSEMessages(new Response(stream), new AbortController()), fields),
    ),
    "@azure/core-sse": fromWebStream((stream) => map(createSseStream(stream), fields)),
    "@microsoft/fetch-event-source": fromWebStream(async function* (stream) {
        const ready = [];
        const onMessage = (it) => ready.push(fields(it));
        const lines = getLines(getMessages(() => {}, () => {}, onMessage));
        for await (const chunk of stream) {
            lines(chunk);
            yield* ready.splice(0);
        }
    }),
    "@server-sent-stream/web": fromWebStream((stream) =>
        map(stream.pipeThrough(new ServerSentStream()), messageEvent),
    ),
    "event-source-polyfill": ofEventTarget((fetch) => {
        fetchForPolyfill = fetch;
        return new EventSourcePolyfill("http://example.com/");
    }),
    eventsource: ofEventTarget((fetch) => new EventSource("http://example.com/", { fetch })),
    "eventsource-client": fromFetch((fetch, onEvent) => {
        const url = "http://example.com/";
        const client = createEventSource({ url, fetch, onMessage: (it) => onEvent(fields(it)) });
        return () => client.close();
    }),
    "eventsource-parser": fromText((onEvent) => {
        const onRetry = (retry) => onEvent({ retry });
        const parser = createParser({ onEvent: (it) => onEvent(fields(it)), onRetry });
        return { feed: (text) => parser.feed(text) };
    }),
    "fetch-event-stream": fromWebStream((stream) => map(events(new Response(stream)), fields)),
    "openai, `Stream`": fromWebStream((stream) =>
        OpenAiStream.fromSSEResponse(new Response(stream), new AbortController()),
    ),
    "parse-sse": fromWebStream((stream) => {
        const headers = { "content-type": "text/event-stream" };
        const toEvent = ({ type, data, lastEventId, retry }) => ({ event: type, data, id: lastEventId, retry });
        return map(parseServerSentEvents(new Response(stream, { headers })), toEvent);
    }),
    "sse.js": ofSseJs,
    "undici, `EventSource`": async (onEvent, onError) => {
        const push = (it) => it && onEvent(messageEvent({ type: it.type, ...it.options }));
        const settings = { lastEventId: "", reconnectionTime: 3000 };
        const make = () => new EventSourceStream({ eventSourceSettings: settings, push });
        return fromTransform(make)(onEvent, onError);
    },
};
