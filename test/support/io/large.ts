/** Writes and reads a file of many tensors, one at a time, and prints how much memory the process ever took. */
import { SafetensorsFile, saveSafetensors } from '../../../nn/io/file.node.ts';

const [, , path = '', count = '', elements = ''] = process.argv;
const [n, size] = [Number(count), Number(elements)];
/** The most memory that the process has had, in bytes. */
const peak = (): number => process.resourceUsage().maxRSS * 1024;
const collect = (globalThis as unknown as { gc(): void }).gc;

const before = peak();
let made = 0;
const tensor = (i: number) => ({
  dtype: 'F32' as const,
  shape: [size],
  data() {
    made++;
    collect();
    return new Float32Array(size).fill(i);
  },
});
await saveSafetensors(path, new Map(Array.from({ length: n }, (_, i) => [`t${i}`, tensor(i)])));
const file = await SafetensorsFile.open(path);
let sum = 0;
for (const name of file.tensors.keys()) {
  const { data } = await file.read(name);
  sum += Number(data[0]) + Number(data.at(-1));
  collect();
}
await file.close();
console.log(JSON.stringify({ made, sum, grown: peak() - before }));
