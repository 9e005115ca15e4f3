// Chromium, driven by lines of JSON: each on standard input opens a stream on a page of its own, and
// each on standard output tells what came of it. It ends with its input.

import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});
const tell = (news) => console.log(JSON.stringify(news));
tell({ version: browser.version() });

const followed = [];
for await (const line of createInterface({ input: process.stdin })) {
  followed.push(follow(JSON.parse(line)));
}
await Promise.all(followed);
await browser.close();

async function follow({ page: name, how, origin, path, seconds }) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(`${origin}/page`);
  if (how === 'EventSource') await tellOfHeartbeats(context, page, name);
  let cut;
  const ended = new Promise((end) => { cut = end; });
  await page.exposeFunction('tell', (kind, text) => {
    tell({ page: name, kind, text });
    if (kind === 'cut') cut();
  });
  tell({ page: name, kind: 'asked' });
  await page.evaluate(how === 'EventSource' ? eventSource : streamingFetch, path);
  const over = new Promise((end) => setTimeout(end, seconds * 1000, 'over'));
  if ((await Promise.race([ended, over])) === 'over') tell({ page: name, kind: 'over' });
  await context.close();
}

// An EventSource says nothing of comments: what came over the network is asked of the browser itself.
async function tellOfHeartbeats(context, page, name) {
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  devtools.on('Network.dataReceived', ({ dataLength }) => {
    if (dataLength === ':\n'.length) tell({ page: name, kind: 'heartbeat' });
  });
}

function eventSource(path) {
  const events = new EventSource(path);
  events.onmessage = ({ data }) => tell('event', data);
  events.onerror = () => {
    events.close(); // or it would connect again
    tell('cut', 'EventSource: error');
  };
}

function streamingFetch(path) {
  (async () => {
    const response = await fetch(path);
    if (!response.ok) return tell('cut', `fetch: ${response.status}`);
    const pieces = response.body.pipeThrough(new TextDecoderStream());
    for await (const piece of pieces) tell('piece', piece);
    tell('cut', 'fetch: ended');
  })().catch((error) => tell('cut', `fetch: ${error.message}`));
}
