/**
 * Records a scalar for the tape panel: the forward values, the backward pass op by op, and a picture's layout.
 * @module
 */
import { grad, Rng, scope, type Tape, type Tensor, tape, tensor } from '../../engine/index.ts';
import type { Trial } from '../trial/trial.ts';
import { layout } from './layout.ts';
import { ruleOf } from './rules.ts';
import { type BackwardStep, FIRST, type GraphNode, type Numbers, type Recording, type Subject } from './subjects.ts';

/** Samples in the batch of a loss that is shown: few, so that shapes can be told apart and numbers be followed. */
const SAMPLES = 4;

/** A scalar, and the names of leaves that have no label. */
interface Scalar {
  readonly y: Tensor;
  readonly names: ReadonlyMap<Tensor, string>;
}

const leaf = (values: number | number[] | number[][], label: string): Tensor =>
  tensor(values, { requiresGrad: true, label });

/** x·x·x at 3, differentiated so many times. */
function cube(times: number): Tensor {
  const x = leaf(3, 'x');
  let y = x.mul(x).mul(x);
  for (let i = 0; i < times; i++) y = grad(y, [x], { createGraph: true })[0]!;
  return y;
}

/** (‖∇f‖ - 1)² for f(x) = (x·w)², whose gradient by x is 2 (x·w) w. */
function penalty(): Tensor {
  const [x, w] = [leaf([[1, -0.5]], 'x'), leaf([[0.8], [0.6]], 'w')];
  const [slope] = grad(x.matmul(w).square().sum(), [x], { createGraph: true });
  return slope!.square().sum().sqrt().sub(1).square();
}

function chain(): Tensor {
  const x = tensor(
    [
      [1, 2, -1],
      [0, 1, 3],
    ],
    { label: 'x' },
  );
  const a = leaf(
    [
      [1, -1],
      [0.5, 2],
      [-1, 1],
    ],
    'A',
  );
  return x
    .matmul(a)
    .relu()
    .matmul(leaf([[2], [-1]], 'B'))
    .sum();
}

function lossOf(subject: 'critic' | 'generator', { gan, set, setup }: Trial): Scalar {
  const { critic, generator } = gan.networks;
  const names = new Map<Tensor, string>();
  for (const [player, module] of [
    ['D', critic],
    ['G', generator],
  ] as const) {
    for (const [name, p] of module.namedParameters()) names.set(p, `${player} ${name}`);
  }
  const n = Math.min(SAMPLES, setup.batch);
  const real = tensor((set.train.data as Float32Array).slice(0, 2 * n), { shape: [n, 2], label: 'real' });
  if (subject === 'critic') return { y: gan.measure(real).loss, names };
  const codes = new Rng(setup.seed).normal([n, setup.latent]);
  names.set(codes, 'z');
  const fake = critic.forward(generator.forward(codes));
  const { objective } = gan;
  return {
    y: objective.needsReal ? objective.generatorLoss(fake, critic.forward(real)) : objective.generatorLoss(fake),
    names,
  };
}

function scalarOf(subject: Subject, trial: Trial | undefined): Scalar {
  const plain = { cube: () => cube(0), slope: () => cube(1), bend: () => cube(2), penalty, chain };
  if (subject !== 'critic' && subject !== 'generator') return { y: plain[subject](), names: new Map() };
  if (!trial) throw new Error('tape: there is no training yet whose loss could be shown');
  return lossOf(subject, trial);
}

/** The reading of a tensor, which goes on after its scope has ended. */
type Read = (t: Tensor, to: (numbers: Numbers) => void) => void;

/** All of a tape that is shown, each value as it arrives. */
function readings(y: Tensor, t: Tape, names: Scalar['names'], read: Read) {
  const values = new Map<number, Numbers>();
  const named = new Map([...names].map(([tensor, name]) => [t.idOf(tensor), name]));
  const leaves = t.entries.filter((e) => e.op === undefined && t.tensor(e.id).requiresGrad);
  for (const { id } of t.entries)
    if (!t.tensor(id).isDisposed) read(t.tensor(id), (numbers) => values.set(id, numbers));
  const steps: { -readonly [K in keyof BackwardStep]: BackwardStep[K] }[] = [];
  for (const { id, op, incoming, outgoing } of t.backwardSteps()) {
    const sent: { id: number; cotangent: Numbers }[] = [];
    const rule = ruleOf(t.entries[id - 1]!.op ?? op);
    const step: (typeof steps)[number] = { id, incoming: undefined, outgoing: sent, rule };
    if (incoming) {
      read(incoming, (numbers) => {
        step.incoming = numbers;
      });
    }
    for (const [i, o] of outgoing.entries()) {
      read(o.cotangent, (cotangent) => {
        sent[i] = { id: o.id, cotangent };
      });
    }
    steps.push(step);
  }
  const gradients: { id: number; gradient: Numbers }[] = [];
  const tensors = leaves.map(({ id }) => t.tensor(id));
  for (const [i, g] of grad(y, tensors, { retainGraph: true }).entries()) {
    read(g, (gradient) => {
      gradients[i] = { id: leaves[i]!.id, gradient };
    });
  }
  return { entries: t.entries, values, named, steps, gradients, parameters: new Set(leaves.map(({ id }) => id)) };
}

async function recorded(subject: Subject, trial: Trial | undefined): Promise<Recording> {
  const waits: Promise<void>[] = [];
  const read: Read = (t, to) => {
    const { shape } = t;
    waits.push(t.data().then((data) => to({ shape, first: [...data.slice(0, FIRST)] })));
  };
  let all!: ReturnType<typeof readings>;
  scope(() => {
    const { y, names } = scalarOf(subject, trial);
    all = readings(y, tape(y), names, read);
  });
  const { entries, values, named, steps, gradients, parameters } = all;
  await Promise.all(waits);
  const { places, width, height } = layout(entries);
  const nodes = entries.map(
    ({ id, op, called, params, inputs, from, shape, label }, i): GraphNode => ({
      id,
      name: called ?? op ?? named.get(id) ?? label ?? 'constant',
      op,
      params,
      inputs,
      parameter: parameters.has(id),
      from,
      value: values.get(id),
      shape,
      ...places[i]!,
    }),
  );
  return { subject, step: trial?.step ?? 0, nodes, steps, gradients, width, height };
}

/**
 * Records a scalar and its backward pass.
 * @param trial the training whose loss it may be; it goes on afterwards as if nothing had been recorded
 * @throws Error if a loss is asked for and there is no training
 */
export async function record(subject: Subject, trial: Trial | undefined): Promise<Recording> {
  if (!trial || (subject !== 'critic' && subject !== 'generator')) return recorded(subject, trial);
  // A loss draws random numbers, and normalisations learn from what they see: the training is put back.
  return trial.aside(() => recorded(subject, trial));
}
