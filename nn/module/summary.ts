import { concat, enableGrad, type Shape, scope, sizeOf, Tensor, tape, withDevice, zeros } from '../../engine/index.ts';
import { calls, checkedList, shown } from '../../engine/internal.ts';
import { aModule } from './aModule.ts';
import type { AnyModule } from './anyModule.ts';
import { hookForward, hookInputs } from './callStep.ts';
import { type Module, ownParameters } from './module.ts';
import { parametrizationsOf } from './parametrize.ts';

/** One line of a summary: a module without modules inside. */
export interface SummaryRow {
  /** The module's dotted name in the model. */
  readonly name: string;
  /** The module's class. */
  readonly layer: string;
  /** The shape of what it gave, batch included; one for each tensor. */
  readonly output: readonly Shape[];
  /** Elements of its parameters; 0 where it is a later use of a layer already counted. */
  readonly parameters: number;
  /** Products of two numbers that are added up, in matrix products and convolutions, for the whole batch. */
  readonly multiplyAdds: number;
}

/** What {@link summary} found. `String(summary)` is a table. */
export interface ModuleSummary {
  /** The layers in the order in which `forward` called them. */
  readonly rows: readonly SummaryRow[];
  /** Elements of all parameters, each counted once. */
  readonly parameters: number;
  /** The numbers in parameters that require gradients. */
  readonly trainable: number;
  /** Multiply-adds of one forward pass, also those outside the layers listed. */
  readonly multiplyAdds: number;
  /** A table for people. */
  toString(): string;
}

/** Multiply-adds of the ops that do many, from the shapes of inputs and output. */
const MULTIPLY_ADDS: Readonly<Record<string, (inputs: readonly Shape[], output: Shape) => number>> = {
  matmul: ([a, b], y) => sizeOf(y) * (a!.length === 1 ? sizeOf(a!) : b!.length === 1 ? sizeOf(b!) : contracted(a!, y)),
  conv2d: ([, w], y) => (sizeOf(y) * sizeOf(w!)) / w!.at(-1)!,
  conv3d: ([, w], y) => (sizeOf(y) * sizeOf(w!)) / w!.at(-1)!,
  convTranspose2d: ([y, w]) => (sizeOf(y!) * sizeOf(w!)) / w!.at(-1)!,
  convTranspose3d: ([y, w]) => (sizeOf(y!) * sizeOf(w!)) / w!.at(-1)!,
};
/** The k of a product of a [m,k] or [k,m] that is y [m,n]. */
const contracted = (a: Shape, y: Shape): number => (a.at(-1)! * a.at(-2)!) / y.at(-2)!;

/**
 * Runs the module on zeros, in evaluation mode, and lists its layers with the shapes that they give, their parameters and
 * their multiply-adds, as Keras does. The module is left as it was.
 * @param inputShapes of each input of `forward`, batch included
 * @example
 * console.log(String(summary(new Sequential(new Linear(784, 64), new ReLU()), [1, 784])));
 */
export function summary<In extends readonly unknown[], Out>(
  module: Module<In, Out>,
  ...inputShapes: Shape[]
): ModuleSummary {
  calls.checkArguments('summary', [aModule, calls.rest(calls.something('inputShapes'))], arguments);
  inputShapes.forEach((s, i) => {
    checkedList('summary', `the shape of input ${i}`, s, '[1, 784]');
    if (s.some((d) => typeof d !== 'number')) {
      throw new TypeError(
        `summary: the shapes are given one by one, not in a list, as ${shown(s)}; write summary(module, [1, 784])`,
      );
    }
  });
  const modules = module.namedModules();
  const modes = modules.map(([, m]) => m.training);
  const device = module.parameters()[0]?.device;
  const run = () =>
    enableGrad(() => module.forward(...(inputShapes.map((s) => zeros(s).requireGrad()) as unknown as In)));
  const inspect = () => ({ multiplyAdds: scope(() => multiplyAdds(run())), rows: scope(() => rowsOf(modules, run)) });
  try {
    module.eval();
    const { rows, multiplyAdds: all } = device ? withDevice(device, inspect) : inspect();
    const parameters = module.parameters();
    const found = {
      rows,
      parameters: total(parameters),
      trainable: total(parameters.filter((p) => p.requiresGrad)),
      multiplyAdds: all,
    };
    return { ...found, toString: () => tableOf(found) };
  } finally {
    modules.forEach(([, m], i) => {
      m.training = modes[i]!;
    });
  }
}

const total = (list: readonly Tensor[]): number => list.reduce((n, t) => n + t.size, 0);

function rowsOf(modules: readonly [string, AnyModule][], run: () => unknown): SummaryRow[] {
  const rows: SummaryRow[] = [];
  const counted = new Set<Tensor>();
  const remove: (() => void)[] = [];
  // What makes a layer's weight counts as part of the layer.
  const inLayers = modules.flatMap(
    ([, m]) =>
      parametrizationsOf(m)
        ?.namedModules()
        .map(([, inner]) => inner) ?? [],
  );
  for (const [name, m] of modules.filter(([, m]) => !inLayers.includes(m))) {
    const makesWeights = parametrizationsOf(m);
    const isLeaf = m.children().every(([, inner]) => inner === makesWeights);
    const own = [...ownParameters(m).map(([, p]) => p), ...(makesWeights?.parameters() ?? [])];
    if (!isLeaf && own.length === 0) continue;
    // Cut off from what was before, the tape behind a layer's output holds its own ops alone.
    if (isLeaf) remove.push(hookInputs(m, (_, inputs) => mapTensors(inputs, cut)));
    const note = (output: unknown) => {
      const mine = own.filter((p) => !counted.has(p));
      for (const p of mine) counted.add(p);
      rows.push({
        name,
        layer: m.constructor.name,
        output: tensorsIn(output).map((t) => t.shape),
        parameters: total(mine),
        multiplyAdds: isLeaf ? multiplyAdds(output) : 0,
      });
    };
    remove.push(hookForward(m, (_, __, output) => note(output)));
  }
  try {
    run();
  } finally {
    for (const back of remove) back();
  }
  return rows;
}

const cut = (t: Tensor): Tensor => t.detach().requireGrad();

function mapTensors(value: unknown, fn: (t: Tensor) => Tensor): unknown {
  if (value instanceof Tensor) return fn(value);
  return Array.isArray(value) ? value.map((v) => mapTensors(v, fn)) : value;
}

function tensorsIn(value: unknown): Tensor[] {
  const found: Tensor[] = [];
  mapTensors(value, (t) => {
    found.push(t);
    return t;
  });
  return found;
}

/** The multiplications and additions of all ops behind the tensors in `value`. */
function multiplyAdds(value: unknown): number {
  const outputs = tensorsIn(value);
  if (outputs.length === 0) return 0;
  const { entries } = tape(outputs.length === 1 ? outputs[0]! : concat(outputs.map((t) => t.reshape([-1]))));
  return entries.reduce((n, { op, inputs, shape }) => {
    const rule = op === undefined ? undefined : MULTIPLY_ADDS[op];
    return rule
      ? n +
          rule(
            inputs.map((i) => entries[i - 1]!.shape),
            shape,
          )
      : n;
  }, 0);
}

const number = new Intl.NumberFormat('en-US');

function tableOf({ rows, parameters, trainable, multiplyAdds: products }: Omit<ModuleSummary, 'toString'>): string {
  const head = ['layer', 'output', 'parameters', 'multiply-adds'];
  const lines = rows.map((r) => [
    r.name ? `${r.name} (${r.layer})` : r.layer,
    r.output.map((s) => `[${s}]`).join(' '),
    number.format(r.parameters),
    number.format(r.multiplyAdds),
  ]);
  const widths = head.map((h, i) => lines.reduce((w, l) => Math.max(w, l[i]!.length), h.length));
  const line = (cells: readonly string[]) =>
    cells
      .map((c, i) => (i < 2 ? c.padEnd(widths[i]!) : c.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  const frozen = parameters - trainable;
  return [
    line(head),
    line(widths.map((w) => '-'.repeat(w))),
    ...lines.map(line),
    line(widths.map((w) => '-'.repeat(w))),
    `parameters: ${number.format(parameters)}${frozen > 0 ? `, ${number.format(frozen)} of them frozen` : ''}`,
    `multiply-adds: ${number.format(products)}`,
  ].join('\n');
}
