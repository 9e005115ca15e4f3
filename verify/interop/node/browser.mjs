// Chromium; each stream is opened by a page of its own.

import { chromium } from 'playwright-core';
import { obey, tell } from './orders.mjs';

const CONNECT_WEB = process.argv[2]; // the bundle of connect-web.mjs

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});
await obey(browser.version(), follow);
await browser.close();

async function follow({ stream, how, page: address, url, seconds }) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(address);
  let cut;
  const ended = new Promise((end) => { cut = end; });
  await page.exposeFunction('tell', (kind, text) => {
    tell({ stream, kind, text });
    if (kind === 'cut') cut();
  });
  if (how === 'EventSource') {
    await tellOfHeartbeats(context, page, stream);
    await page.evaluate(eventSource, url);
  } else if (how === 'fetch') {
    await page.evaluate(streamingFetch, url);
  } else {
    await page.addScriptTag({ path: CONNECT_WEB });
    await page.evaluate((order) => globalThis.connectWeb(order), { how, url });
  }
  const over = new Promise((end) => setTimeout(end, seconds * 1000, 'over'));
  if ((await Promise.race([ended, over])) === 'over') tell({ stream, kind: 'over' });
  await context.close();
}

// An EventSource says nothing of comments: what came over the network is asked of the browser itself.
async function tellOfHeartbeats(context, page, stream) {
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  const requests = new Set(); // there are others, as for the icon of the page
  devtools.on('Network.requestWillBeSent', ({ requestId, type }) => {
    if (type === 'EventSource') requests.add(requestId);
  });
  devtools.on('Network.dataReceived', ({ requestId, dataLength }) => {
    if (requests.has(requestId) && dataLength === ':\n'.length) tell({ stream, kind: 'heartbeat' });
  });
}

function eventSource(url) {
  tell('asked');
  const events = new EventSource(url);
  events.onmessage = ({ data }) => tell('event', data);
  events.onerror = () => {
    events.close(); // or it would connect again
    tell('cut', 'error');
  };
}

function streamingFetch(url) {
  tell('asked');
  (async () => {
    const response = await fetch(url);
    if (!response.ok) return tell('cut', `status ${response.status}`);
    const pieces = response.body.pipeThrough(new TextDecoderStream());
    for await (const piece of pieces) tell('piece', piece);
    tell('cut', 'ended');
  })().catch((error) => tell('cut', error.message));
}
