/** Holds the ops against PyTorch, by way of the fixtures that test/fixtures/makeFixtures.py wrote with it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { observe } from '../../engine/autograd/apply.ts';
import * as engine from '../../engine/index.ts';
import * as internal from '../../engine/internal.ts';
import { fused, primitives, views } from '../../engine/ops/table.ts';
import { apart, type Fixture, readFixtures, runFixture, titleOf } from '../support/fixtures.ts';
import { NOT_OPS } from '../support/notOps.ts';
import { opOf } from '../support/pytorchOps.ts';

const test = suite('pytorch');
const fixtures = readFixtures();
await engine.init({ adapter: 'reference' });

/** In units of the largest magnitude in a tensor, or of 1. Sums in another order differ by some 1e-13. */
const TOLERANCE = 1e-11;

interface Difference {
  /** What differs; the rest agrees. */
  readonly parts: readonly string[];
  readonly because: string;
}

/** Fixtures, by op and name, in which wgrad is meant to differ. */
const DIFFERENT: Readonly<Record<string, Difference>> = {
  'sign of NaN': {
    parts: ['output 0'],
    because: 'NaN stays NaN in every elementwise op of wgrad, as in NumPy; PyTorch has sign(NaN) = 0',
  },
  'elu at 0': {
    parts: ['second derivative 0'],
    because:
      'elu has two second derivatives at 0: wgrad takes that from the left, as in the first; PyTorch that from the right',
  },
  'selu at 0': { parts: ['second derivative 0'], because: 'as elu' },
  'softplus at the threshold': {
    parts: ['second derivative 0'],
    because:
      'value and gradient count the threshold to the curve in both; in the second derivative PyTorch counts it to the line',
  },
  'pow of 0': {
    parts: ['second derivative 0', 'second derivative 1'],
    because: 'PyTorch multiplies 0 by log 0 and has NaN; wgrad has the limit',
  },
  'pow 0 to the 0': { parts: ['second derivative 2'], because: 'as of 0' },
  'pow to the 0': {
    parts: ['second derivative 1'],
    because:
      'd²/da db of aᵇ at b = 0 is 1/a, as in wgrad; PyTorch sets d/da to 0 there, and with it the derivative of that by b',
  },
  'pow of a negative number to the 0': {
    parts: ['second derivative 0'],
    because: 'the derivative by the exponent is NaN in both, and what PyTorch derives from it is not, by chance',
  },
  'mean of nothing': {
    parts: ['second derivative 1'],
    because: 'the mean of nothing is NaN; wgrad multiplies the sum of nothing by 1/0, which PyTorch skips',
  },
  'std of equal numbers': {
    parts: ['second derivative 1'],
    because: 'both take the derivative as 0 there; differentiated again it is 0 in wgrad and NaN in PyTorch',
  },
  'norm zeros, p = 2': {
    parts: ['second derivative 0'],
    because: 'both take the derivative as 0 there; differentiated again it is 0 in wgrad and NaN in PyTorch',
  },
  'norm zeros, p = 3': { parts: ['second derivative 1'], because: 'as p = 2' },
  'norm zeros, p = 0.5': { parts: ['second derivative 0'], because: 'as p = 2' },
  'norm zeros, p = -1': { parts: ['second derivative 0'], because: 'as p = 2' },
  'norm one zero, p = -1': { parts: ['second derivative 0'], because: 'as p = 2' },
  'norm one zero, p = 0.5': {
    parts: ['second derivative 0'],
    because: 'both take the derivative by the zero as 0; differentiated again it is 0 in wgrad and NaN in PyTorch',
  },
  'gelu at infinity': {
    parts: ['second derivative 0'],
    because: 'it is 0 in the limit, and in wgrad; 0 · Infinity is NaN in PyTorch',
  },
  'scaledDotProductAttention a query that sees nothing': {
    parts: ['output 0'],
    because: 'its weights are 0, as in PyTorch since 2.5; NaN in PyTorch 1.13',
  },
};

/** Exports that are ops, and that PyTorch does not have. */
const WITHOUT_TWIN: Readonly<Record<string, string>> = {
  attentionWeights: 'the first half of scaledDotProductAttention; PyTorch has no function of it',
  convMatrix: 'PyTorch has no matrix of a convolution',
  dropout: 'random: wgrad and PyTorch draw other numbers',
  rand: 'random',
  randint: 'random',
  randn: 'random',
};

/** Rows of the op table that no fixture can run. */
const ROWS_WITHOUT_TWIN: Readonly<Record<string, string>> = {
  uniform: 'random: wgrad and PyTorch draw other numbers',
  normal: 'random',
  truncatedNormal: 'random',
  randint: 'random',
  gumbelMax: 'random',
  lion: 'PyTorch 1.13 has no Lion: test/nn/optim.test.ts works it out',
};

const rowsRun = new Set<string>();

/** What is off in a fixture, by part. */
function errorsOf(fixture: Fixture): Map<string, string> {
  const errors = new Map<string, string>();
  const check = (part: string, found: engine.Tensor, wanted: Parameters<typeof apart>[1]): void => {
    const values = engine.reference.values(found.storage);
    const error = apart(values, wanted);
    if (!(error <= TOLERANCE)) errors.set(part, `off by ${error}: [${values}], in PyTorch [${wanted}]`);
  };
  const leaves = fixture.inputs.some((input) => typeof input !== 'number' && !input.fixed);
  observe(
    (row) => rowsRun.add(row),
    () =>
      runFixture(fixture, opOf(fixture.op), ({ outputs, grads, seconds }) => {
        if (outputs.length !== fixture.outputs.length) errors.set('outputs', `there are ${outputs.length}`);
        outputs.forEach((y, i) => {
          const { shape, values } = fixture.outputs[i]!;
          if (`${y.shape}` !== `${shape}`) errors.set(`shape ${i}`, `[${y.shape}], in PyTorch [${shape}]`);
          check(`output ${i}`, y, values);
          if (leaves && y.requiresGrad && !fixture.cotangents?.[i]) errors.set(`flow ${i}`, 'PyTorch has no gradient');
        });
        grads.forEach((g, i) => {
          check(`gradient ${i}`, g, fixture.grads![i]!);
        });
        seconds.forEach((g, i) => {
          check(`second derivative ${i}`, g, fixture.seconds![i]!);
        });
      }),
  );
  return errors;
}

const keyOf = ({ op, name }: Fixture): string => `${op} ${name}`;

for (const op of new Set(fixtures.map((f) => f.op))) {
  const list = fixtures.filter((f) => f.op === op);
  test(`${op}: values, gradients and second derivatives of ${list.length} fixtures`, () => {
    for (const f of list) {
      const errors = errorsOf(f);
      const found = [...errors].map(([part, text]) => `${part} ${text}`).join('\n');
      const expected = DIFFERENT[keyOf(f)]?.parts ?? [];
      assert.equal([...errors.keys()], expected, `${titleOf(f)}:\n${found || 'agrees, and is listed as different'}`);
    }
  });
}

test('every difference that is listed has one fixture', () => {
  for (const key of Object.keys(DIFFERENT)) assert.is(fixtures.filter((f) => keyOf(f) === key).length, 1, key);
});

test('every exported op has fixtures, or a reason to have none', () => {
  const functions = Object.entries({ ...internal, ...engine }).flatMap(([name, value]) =>
    typeof value === 'function' ? [name] : [],
  );
  const held = [...new Set(fixtures.map((f) => f.op)), ...Object.keys(WITHOUT_TWIN), ...NOT_OPS];
  assert.equal(held.sort(), functions.sort());
});

test('every row of the op table runs in some fixture, or has a reason not to', () => {
  const rows = Object.values({ ...primitives, ...fused, ...views }).map((r) => r.name);
  const reached = rows.filter((name) => rowsRun.has(name));
  assert.equal([...reached, ...Object.keys(ROWS_WITHOUT_TWIN)].sort(), [...rows].sort());
});

test.run();
