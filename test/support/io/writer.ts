/** Saves ever newer versions of a file until it is killed: says which one it begins, and which is done. */
import { writeSync } from 'node:fs';
import { saveSafetensors } from '../../../nn/io/file.node.ts';

const [, , path = '', first = '0'] = process.argv;
const data = new Float32Array(100_000);
for (let version = Number(first); ; version++) {
  writeSync(1, `begin ${version}\n`);
  const one = { dtype: 'F32', shape: [data.length], data: () => data.fill(version) } as const;
  await saveSafetensors(path, new Map(['a', 'b', 'c', 'd'].map((name) => [name, one])), { version: String(version) });
  writeSync(1, `end ${version}\n`);
}
