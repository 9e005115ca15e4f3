// The protocol between the tests and a client. Each line of JSON on standard input is a command that opens a stream.
// Each line on standard output reports an item or the end of a stream. The client exits when its input and all streams
// have ended.

import { createInterface } from 'node:readline';

export const report = (message) => console.log(JSON.stringify(message));

export async function runCommands(version, receive) {
  report({ version });
  const streams = [];
  for await (const line of createInterface({ input: process.stdin })) {
    streams.push(receive(JSON.parse(line)));
  }
  await Promise.all(streams);
}
