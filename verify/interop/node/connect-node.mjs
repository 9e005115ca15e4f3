// @connectrpc/connect-node.

import {
  createConnectTransport, createGrpcTransport, createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { obey, tell } from './orders.mjs';
import { subscribe } from './subscribe.mjs';

const transports = {
  'Connect, proto': (options) => createConnectTransport({ ...options, useBinaryFormat: true }),
  'Connect, JSON': (options) => createConnectTransport({ ...options, useBinaryFormat: false }),
  'gRPC': (options) => createGrpcTransport(options),
  'gRPC-Web': (options) => createGrpcWebTransport(options),
};

await obey(process.version, async ({ stream, how, url, http, seconds }) => {
  const transport = transports[how]({ baseUrl: url, httpVersion: http });
  const signal = AbortSignal.timeout(seconds * 1000);
  await subscribe(transport, (kind, text) => tell({ stream, kind, text }), signal);
});
process.exit(); // connections that idle would keep it
