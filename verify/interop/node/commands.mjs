// A client that is driven by lines of JSON: each on standard input opens a stream, and each on
// standard output tells what came of one. It ends with its input, once its streams have.

import { createInterface } from 'node:readline';

export const tell = (news) => console.log(JSON.stringify(news));

export async function obey(version, follow) {
  tell({ version });
  const followed = [];
  for await (const line of createInterface({ input: process.stdin })) {
    followed.push(follow(JSON.parse(line)));
  }
  await Promise.all(followed);
}
