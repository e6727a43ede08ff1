/** What the cases of test/support/cases.ts launch, found out without launching it. */
import type { OpCall, Storage } from '../../engine/device.ts';
import { grad, scope, type Tensor } from '../../engine/index.ts';
import { ReferenceDevice } from '../../engine/reference/device.ts';
import { sizeOf } from '../../engine/tensor/shape.ts';
import { elementwiseChain } from '../../kernels/elementwise.ts';
import { epilogueOf } from '../../kernels/epilogue.ts';
import type { Elementwise } from '../../kernels/functions.ts';
import type { Kernel, Plan, Shape, Target } from '../../kernels/kernel.ts';
import type { Case } from './builders.ts';
import { on } from './devices.ts';
import { cotangentsFor, leavesOf, listOf } from './runCase.ts';

/** The kinds of adapter for which kernels are made; SwiftShader's subgroups have 4 lanes, lavapipe's 8. */
export const TARGETS: readonly Target[] = [
  { family: 'software', subgroupSize: 0, maxStorageBuffers: 8 },
  { family: 'software', subgroupSize: 4, maxStorageBuffers: 10 },
  { family: 'software', subgroupSize: 8, maxStorageBuffers: 8 },
  { family: 'hardware', subgroupSize: 0, maxStorageBuffers: 8 },
  { family: 'hardware', subgroupSize: 32, maxStorageBuffers: 10 },
];

/** A device that plans each op as WebGPU would, shows the launch and its plan, and gives zeros. */
export class PlanningDevice extends ReferenceDevice {
  readonly #targets: readonly Target[];
  readonly #saw: (plan: Plan, call: OpCall) => void;

  constructor(targets: readonly Target[], saw: (plan: Plan, call: OpCall) => void) {
    super();
    this.#targets = targets;
    this.#saw = saw;
  }

  override runs({ plan }: OpCall): boolean {
    return plan !== undefined;
  }

  override run(call: OpCall): Storage[] {
    for (const target of this.#targets) this.#saw(call.plan!(target), call);
    return call.outputShapes.map((s) => this.allocate(sizeOf(s)));
  }
}

/** Runs a case on a planning device, and its derivatives up to `order`. */
export function planCase(device: PlanningDevice, c: Case, order: number): void {
  on(device, () =>
    scope(() => {
      const xs = leavesOf(c);
      let ys: readonly Tensor[] = listOf(c.fn(...xs));
      for (let k = 0; k < order; k++) {
        const differentiable = ys.filter((y) => y.requiresGrad && y.node);
        if (differentiable.length === 0) return;
        const createGraph = k + 1 < order;
        const gradOutputs = cotangentsFor(differentiable);
        ys = grad(differentiable, xs, { gradOutputs, createGraph, allowUnused: true });
      }
    }),
  );
}

/** The kernels of a plan. */
export const kernelsOf = ({ dispatches }: Plan): Kernel[] => dispatches.map((d) => d.kernel);

const BIAS: Elementwise = { name: 'bias', arity: 2, expr: 'a + b' };
const SLOPE: Elementwise = { name: 'slope', arity: 1, expr: 'a * p.s0' };

/** A plan with functions applied to what it stores, for each way in which an operand may lie; none where it cannot. */
function withEpilogues({ withEpilogue }: Plan, [shape = []]: readonly Shape[]): Plan[] {
  const links = [
    { e: BIAS, operands: [0, 1], scalars: [] },
    { e: SLOPE, operands: [2], scalars: [0.5] },
  ];
  const row = shape[shape.length - 1] ?? 1;
  return (['whole', 'row', 'scalar'] as const)
    .map((kind) => withEpilogue?.(epilogueOf({ links, operands: [kind], outputs: [3], row })))
    .filter((p) => p !== undefined);
}

/** An elementwise launch as the first link of a chain. */
function chained({ elementwise, inputShapes, outputShapes: [out] }: OpCall): Plan[] {
  if (!elementwise) return [];
  const { e, scalars } = elementwise();
  const first = { e, operands: [...Array(e.arity).keys()], scalars };
  const links = [first, { e: SLOPE, operands: [e.arity], scalars: [0.5] }];
  return [elementwiseChain({ inputs: e.arity, links, outputs: [0, 1] }, inputShapes, out!)];
}

/** Every kernel that the cases launch, to the second derivative, alone, in chains and with epilogues, by its source. */
export function everyKernel(list: readonly Case[], targets: readonly Target[]): ReadonlyMap<string, Kernel> {
  const kernels = new Map<string, Kernel>();
  const device = new PlanningDevice(targets, (plan, call) => {
    for (const each of [plan, ...withEpilogues(plan, call.outputShapes), ...chained(call)])
      for (const kernel of kernelsOf(each)) kernels.set(kernel.source, kernel);
  });
  for (const c of list) planCase(device, c, 2);
  return kernels;
}
