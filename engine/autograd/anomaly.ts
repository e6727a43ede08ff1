import { aFunction, guarded } from '../arguments/arguments.ts';
import { AnomalyError, refusePromise } from '../errors.ts';
import { concat, reshape } from '../ops/movement.ts';
import { sum } from '../ops/reduce.ts';
import { isFinite as finite } from '../ops/unary.ts';
import { scope } from '../tensor/scope.ts';
import { keep, type Tensor } from '../tensor/tensor.ts';
import { observe } from './apply.ts';
import { type Node, noGrad } from './node.ts';

/** A tensor that was looked at: what it is, where it was made, and how many of its values are finite. */
interface Finding {
  readonly what: string;
  readonly site: string;
  readonly size: number;
  readonly finite: Tensor;
}

/**
 * Runs `fn` and then names the first op in it, forward or backward, that made a NaN or an infinity, with the source line
 * that called it; in a bundle, which merges files, that is a line of the engine's own. Every op is followed by a count on
 * the device, so this is for finding out, not for training.
 * @param fn a step, say: forward and backward; must not be async
 * @returns what `fn` returned
 * @throws AnomalyError naming the op, the line, and how many of its values are not finite
 * @function
 */
export const detectAnomaly = guarded('detectAnomaly', [aFunction('fn')], async <T>(fn: () => T): Promise<T> => {
  const findings: Finding[] = [];
  const seen = new Set<Tensor>();
  const sites = new WeakMap<Node, string>();
  const look = (t: Tensor, what: string, site: string): void => {
    if (seen.has(t) || t.size === 0) return;
    seen.add(t);
    const count = () => keep(noGrad(() => scope(() => reshape(sum(finite(t)), [1]))));
    findings.push({ what, site, size: t.size, finite: observe(undefined, count) });
  };
  try {
    const result = observe(
      (op, inputs, outputs, during) => {
        const site = (during && sites.get(during)) ?? callSite();
        for (const t of inputs) if (!t.node) look(t, `${t.describe()}, an input of ${op},`, site);
        for (const t of outputs) {
          if (t.node) sites.set(t.node, site);
          look(t, during ? `the backward pass of ${during.row.name} (in ${op})` : op, site);
        }
      },
      () => refusePromise('detectAnomaly', fn()),
    );
    const counts = findings.length > 0 ? await scope(() => concat(findings.map((f) => f.finite)).data()) : [];
    const first = findings.findIndex((f, i) => counts[i] !== f.size);
    if (first >= 0) {
      const { what, site, size } = findings[first]!;
      const bad = size - counts[first]!;
      throw new AnomalyError(`${what} holds NaN or infinity in ${bad} of ${size} elements; called at ${site}`);
    }
    return result;
  } finally {
    for (const { finite } of findings) finite.dispose();
  }
});

/** This package's own folders, whose frames are not the user's. */
const OWN = new RegExp(
  `${new URL('../..', import.meta.url).pathname.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(engine|kernels|nn)/`,
);

/** The innermost line of the stack that lies outside the engine. */
function callSite(): string {
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  const frame = frames.find((f) => !OWN.test(f) && !f.includes('<anonymous>)')) ?? frames[frames.length - 1] ?? '';
  return frame.trim().replace(/^at /, '') || 'an unknown line';
}
