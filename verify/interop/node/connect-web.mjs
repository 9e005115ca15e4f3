// A client with @connectrpc/connect-web, bundled for a page.

import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import { subscribe } from './subscribe.mjs';

const transports = {
  'Connect, proto': (options) => createConnectTransport({ ...options, useBinaryFormat: true }),
  'Connect, JSON': (options) => createConnectTransport(options),
  'gRPC-Web': (options) => createGrpcWebTransport(options),
};

globalThis.connectWeb = ({ how, url }) => {
  subscribe(transports[how]({ baseUrl: url }), globalThis.report);
};
