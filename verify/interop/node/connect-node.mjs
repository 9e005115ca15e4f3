// A client with @connectrpc/connect-node.

import {
  createConnectTransport, createGrpcTransport, createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { report, runCommands } from './commands.mjs';
import { subscribe } from './subscribe.mjs';

const transports = {
  'Connect, proto': (options) => createConnectTransport({ ...options, useBinaryFormat: true }),
  'Connect, JSON': (options) => createConnectTransport({ ...options, useBinaryFormat: false }),
  'gRPC': (options) => createGrpcTransport(options),
  'gRPC-Web': (options) => createGrpcWebTransport(options),
};

await runCommands(process.version, async ({ stream, how, url, http, seconds }) => {
  const transport = transports[how]({ baseUrl: url, httpVersion: http });
  const signal = AbortSignal.timeout(seconds * 1000);
  await subscribe(transport, (kind, text) => report({ stream, kind, text }), signal);
});
process.exit(); // idle connections would keep the process alive
