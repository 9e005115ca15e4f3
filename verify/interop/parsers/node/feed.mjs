// Feeding a parser: in chunks, and with a note of how far it was fed when it yielded an event.
import { Readable } from "node:stream";

const END = 2 ** 52; // the number of bytes of the stream that stands for its end

/**
 * Gives chunks, each with the number of bytes of the stream that have been fed after it.
 *
 * - `bytes`: each byte is a chunk; long streams are cut into larger pieces
 * - `lines`: each CR and LF is a chunk, and what is between them
 * - `segments`: heartbeats are chunks of their own
 * - `whole`: all bytes are one chunk
 */
export function cut(segments, chunking) {
    if (chunking === "whole") {
        if (segments.length === 0) return [];
        return [[Buffer.concat(segments.map(([part]) => part)), segments.at(-1)[2]]];
    }
    const chunks = [];
    for (const [part, isHeartbeat, end] of segments) {
        let left = part.length;
        for (const piece of pieces(part, chunking)) {
            left -= piece.length;
            chunks.push([piece, isHeartbeat ? end : end - left]);
        }
    }
    return chunks;
}

function pieces(part, chunking) {
    if (chunking === "segments") return [part];
    if (chunking === "lines") {
        const texts = part.toString("latin1").match(/[^\r\n]+|[\r\n]/g);
        return texts.map((text) => Buffer.from(text, "latin1"));
    }
    const size = part.length <= 512 ? 1 : 4096;
    const starts = Array.from({ length: Math.ceil(part.length / size) }, (_, at) => at * size);
    return starts.map((start) => part.subarray(start, start + size));
}

export function decoded(segments) {
    return segments.map(([part, isHeartbeat, end]) => [Buffer.from(part, "base64"), isHeartbeat, end]);
}

/**
 * Runs a parser: `start` gets a function to call with each event and one to call with an error, and returns how to feed it.
 * After each chunk the parser runs until it waits for more.
 */
export async function run(start, chunks) {
    const events = [];
    let [position, error] = [0, null];
    const onEvent = (event) => events.push([text(event), position]);
    const onError = (it) => (error ??= `${it?.name}: ${it?.message}`.slice(0, 200));
    try {
        const { feed, end, settle } = await start(onEvent, onError);
        await settle?.();
        for (const [chunk, after] of chunks) {
            position = after;
            feed(new Uint8Array(chunk)); // a copy: some parsers change it
            await settle?.();
            if (error !== null) break;
        }
        if (error === null) {
            position = END;
            end();
            await settle?.();
        }
    } catch (it) {
        onError(it);
    }
    return { events, error };
}

function text(event) {
    const it = JSON.stringify(event);
    return it.length <= 1000 ? it : `${it.slice(0, 100)}… ${it.length} characters`;
}

/** Runs what is ready, timers excepted. */
async function turns() {
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
}

/** For a parser that reads a `ReadableStream` and gives an asynchronous iterable of events, or a promise of one. */
export function fromWebStream(parse) {
    return async (onEvent, onError) => {
        let controller;
        const stream = new ReadableStream({ start: (it) => void (controller = it) });
        consume(async () => parse(stream), onEvent, onError);
        return { ...feeding(controller), settle: turns };
    };
}

/** For a client that fetches: `open` gets a function like `fetch`, and returns how to close the client. */
export function fromFetch(open) {
    return async (onEvent, onError) => {
        let controller;
        const stream = new ReadableStream({ start: (it) => void (controller = it) });
        const headers = { "content-type": "text/event-stream" };
        const close = open(async () => new Response(stream, { headers }), onEvent, onError);
        const { feed, end } = feeding(controller);
        let ended = false;
        return {
            feed,
            end: () => {
                ended = true;
                end();
            },
            settle: async () => {
                await turns();
                if (ended) close(); // it would connect again
            },
        };
    };
}

function feeding(controller) {
    return {
        feed: (chunk) => controller.enqueue(chunk),
        end: () => controller.close(),
    };
}

/** For a parser that reads a `Readable` of Node and gives an asynchronous iterable of events. */
export function fromReadable(parse) {
    return async (onEvent, onError) => {
        const stream = new Readable({ read() {} });
        consume(async () => parse(stream), onEvent, onError);
        return { feed: (chunk) => stream.push(Buffer.from(chunk)), end: () => stream.push(null), settle: turns };
    };
}

/** For a writable stream of Node that emits events as data. */
export function fromTransform(make, toEvent = (it) => it) {
    return async (onEvent, onError) => {
        const stream = make();
        stream.on("data", (it) => onEvent(toEvent(it))).on("error", onError);
        return { feed: (chunk) => stream.write(Buffer.from(chunk)), end: () => stream.end(), settle: turns };
    };
}

/** For a parser that is fed with text. */
export function fromText(start) {
    return async (onEvent, onError) => {
        const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
        const { feed, end } = start(onEvent, onError);
        return {
            feed: (chunk) => feed(decoder.decode(chunk, { stream: true })),
            end: () => end?.(),
        };
    };
}

async function consume(iterable, onEvent, onError) {
    try {
        for await (const event of await iterable()) onEvent(event);
    } catch (error) {
        onError(error);
    }
}
