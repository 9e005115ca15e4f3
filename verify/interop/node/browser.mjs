// A client that runs in Chromium. Each stream has its own page.

import { chromium } from 'playwright-core';
import { report, runCommands } from './commands.mjs';

const CONNECT_WEB = process.argv[2]; // the bundle of connect-web.mjs

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});
await runCommands(browser.version(), receive);
await browser.close();

async function receive({ stream, how, page: address, url, seconds }) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(address);
  let resolveEnded;
  const ended = new Promise((resolve) => { resolveEnded = resolve; });
  await page.exposeFunction('report', (kind, text) => {
    report({ stream, kind, text });
    if (kind === 'ended') resolveEnded();
  });
  if (how === 'EventSource') {
    await reportHeartbeats(context, page, stream);
    await page.evaluate(eventSource, url);
  } else if (how === 'fetch') {
    await page.evaluate(streamingFetch, url);
  } else {
    await page.addScriptTag({ path: CONNECT_WEB });
    await page.evaluate((options) => globalThis.connectWeb(options), { how, url });
  }
  const timeOver = new Promise((resolve) => setTimeout(resolve, seconds * 1000, 'time_over'));
  if ((await Promise.race([ended, timeOver])) === 'time_over') report({ stream, kind: 'time_over' });
  await context.close();
}

// An EventSource does not report comments, so heartbeats are counted in the network events of the browser.
async function reportHeartbeats(context, page, stream) {
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  const requests = new Set(); // the page has other requests, for example for its icon
  devtools.on('Network.requestWillBeSent', ({ requestId, type }) => {
    if (type === 'EventSource') requests.add(requestId);
  });
  devtools.on('Network.dataReceived', ({ requestId, dataLength }) => {
    if (requests.has(requestId) && dataLength === ':\n'.length) report({ stream, kind: 'heartbeat' });
  });
}

function eventSource(url) {
  report('requested');
  const events = new EventSource(url);
  events.onmessage = ({ data }) => report('event', data);
  events.onerror = () => {
    events.close(); // prevents a reconnect
    report('ended', 'error');
  };
}

function streamingFetch(url) {
  report('requested');
  (async () => {
    const response = await fetch(url);
    if (!response.ok) return report('ended', `status ${response.status}`);
    const pieces = response.body.pipeThrough(new TextDecoderStream());
    for await (const piece of pieces) report('piece', piece);
    report('ended', 'ended');
  })().catch((error) => report('ended', error.message));
}
