/**
 * Random graphs of 5 to 40 ops: value, gradient and second gradient on WebGPU against float64. `FUZZ=n npm test -- fuzz`
 * runs n graphs, `SEED=s` starts at another one; a mismatch prints its seed and its tape.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Device, reference, tape } from '../../engine/index.ts';
import { openGpu, read } from '../support/devices.ts';
import { graph, graphLeaves, graphOrders } from '../support/randomGraph.ts';
import { distance } from '../support/values.ts';

const test = suite('fuzz');
const gpu = await openGpu();
test.after(() => gpu.destroy());

const COUNT = Number(process.env.FUZZ ?? 500);
const FIRST = Number(process.env.SEED ?? 1);
/** Of the scale of a tensor; graphs of 40 ops in float32 lose some digits, above all in second derivatives. */
const TOLERANCE = [1e-4, 5e-4, 5e-3];

/** Value, gradients and second gradients of a graph on a device, and its tape. */
function run(device: Device, seed: number): { numbers: Promise<Float64Array[]>; text: () => string } {
  let text = '';
  const results = read(device, () => {
    const xs = graphLeaves(seed);
    text = String(tape(graph(seed, xs)));
    return graphOrders(seed, xs);
  });
  return { numbers: results, text: () => text };
}

test(`${COUNT} graphs from seed ${FIRST} agree with float64 to the second derivative`, async () => {
  const wrong: string[] = [];
  for (let from = FIRST; from < FIRST + COUNT; from += 10) {
    const seeds = Array.from({ length: Math.min(10, FIRST + COUNT - from) }, (_, i) => from + i);
    const pairs = seeds.map((seed) => ({ seed, found: run(gpu, seed), exact: run(reference, seed) }));
    for (const { seed, found, exact } of pairs) {
      const [a, b] = await Promise.all([found.numbers, exact.numbers]);
      b.forEach((values, i) => {
        const order = i === 0 ? 0 : i <= 3 ? 1 : 2;
        const d = distance(a[i]!, values, 1e-2);
        if (!(d <= TOLERANCE[order]!))
          wrong.push(`seed ${seed}: tensor ${i} (order ${order}) is off by ${d} of its scale\n${exact.text()}`);
      });
    }
  }
  assert.is(wrong.length, 0, wrong.slice(0, 3).join('\n\n'));
});

test.run();
