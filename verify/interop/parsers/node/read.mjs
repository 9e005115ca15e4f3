// Lets the parsers from npm read the cases of a file, and prints what they yield.
//
// Usage: node read.mjs FILE
import { readFileSync, writeSync } from "node:fs";

import { cut, decoded, run } from "./feed.mjs";
import { READERS } from "./ndjson.mjs";
import { PARSERS } from "./sse.mjs";

console.error = console.warn = console.log = () => {}; // some parsers print what they cannot parse

const cases = JSON.parse(readFileSync(process.argv[2]));
for (const it of cases) {
    it.segments = decoded(it.segments);
    it.without = it.without.map(decoded);
}
for (const [format, parsers] of [["sse", PARSERS], ["ndjson", READERS]]) {
    for (const [parser, start] of Object.entries(parsers)) {
        const known = new Map();
        const once = async (segments, chunking) => {
            const chunks = cut(segments, chunking);
            const key = chunks.map(([chunk, position]) => `${chunk.toString("latin1")}@${position}`).join();
            if (!known.has(key)) known.set(key, await run(start, chunks));
            return known.get(key);
        };
        for (const it of cases.filter((it) => it.format === format)) {
            for (const chunking of it.chunkings) {
                const without = [];
                for (const segments of it.without) without.push(await once(segments, chunking));
                const row = [parser, it.id, chunking, without, await once(it.segments, chunking)];
                writeSync(1, JSON.stringify(row) + "\n");
            }
        }
    }
}
process.exit(); // some clients leave timers behind
