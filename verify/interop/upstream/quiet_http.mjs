// A server on Node's http that streams events as NDJSON and goes quiet.

import { createServer } from 'node:http';

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.write('"hello"\n');
  const later = setTimeout(() => response.write('"still here"\n'), 2500);
  response.on('close', () => clearTimeout(later));
});
server.listen(0, '127.0.0.1', () => {
  const { address, port } = server.address();
  console.log(`listening on ${address}:${port}`);
});
