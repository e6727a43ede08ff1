/**
 * Layers against PyTorch, by way of the fixtures that test/fixtures/makeFixtures.py wrote with it, and against central
 * differences to second order in inputs and parameters.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck, gradgradcheck, init, reference, type Tensor, tensor } from '../../engine/index.ts';
import { apart, type Fixture, readFixtures, runFixture, titleOf } from '../support/fixtures.ts';
import { layerNames, layerOp, specOf } from '../support/layerOps.ts';

const test = suite('layers');
await init({ adapter: 'reference' });
const fixtures = readFixtures('layers');

/** In units of the largest magnitude in a tensor, or of 1. */
const TOLERANCE = 1e-11;

/** Layers that PyTorch does not have, or that draw random numbers; each has tests of its own. */
const WITHOUT_TWIN: Readonly<Record<string, string>> = {
  Module: 'the base class',
  Sequential: 'test/nn/module.test.ts',
  Reshape: 'test/nn/layersByHand.test.ts',
  Residual: 'test/nn/layersByHand.test.ts',
  Recurrent: 'the base class of RNN, GRU and LSTM',
  RecurrentCell: 'the base class of the cells',
  RMSNorm: 'test/nn/norms.test.ts',
  PixelNorm: 'test/nn/norms.test.ts',
  AdaIN: 'test/nn/norms.test.ts',
  ConditionalBatchNorm: 'test/nn/norms.test.ts',
};

function errorsOf(fixture: Fixture): string[] {
  const errors: string[] = [];
  const check = (part: string, found: Tensor, wanted: Parameters<typeof apart>[1]): void => {
    const error = apart(reference.values(found.storage), wanted);
    if (!(error <= TOLERANCE)) errors.push(`${part} is off by ${error}`);
  };
  runFixture(fixture, layerOp(fixture.op), ({ outputs, grads, seconds }) => {
    assert.equal(
      outputs.map((y) => y.shape),
      fixture.outputs.map((y) => y.shape),
    );
    outputs.forEach((y, i) => void check(`output ${i}`, y, fixture.outputs[i]!.values));
    grads.forEach((g, i) => void check(`gradient ${i}`, g, fixture.grads![i]!));
    seconds.forEach((g, i) => void check(`second derivative ${i}`, g, fixture.seconds![i]!));
  });
  return errors;
}

/** The smooth part of a layer as a function of what fixtures differentiate. */
async function check(fixture: Fixture): Promise<void> {
  const all = fixture.inputs.map((i) =>
    typeof i === 'number' ? i : tensor(Float64Array.from(i.values, Number), { shape: i.shape, requiresGrad: !i.fixed }),
  );
  const leaves = all.filter((t): t is Tensor => typeof t !== 'number' && t.requiresGrad);
  const copies = (xs: readonly Tensor[]) => {
    let at = 0;
    // Buffers that the layer moves are given afresh to each call.
    return all.map((t) => (typeof t === 'number' ? t : t.requiresGrad ? xs[at++]! : t.clone()));
  };
  const flowing = (fixture.cotangents ?? []).flatMap((c, i) => (c ? [i] : []));
  const fn = (...xs: Tensor[]) => {
    const result = layerOp(fixture.op)(copies(xs), fixture.args ?? []) as readonly Tensor[];
    return flowing.map((i) => result[i]!);
  };
  await gradcheck(fn, leaves, { fast: true });
  await gradgradcheck(fn, leaves, { fast: true });
  for (const t of all) if (typeof t !== 'number') t.dispose();
}

/** In training spectral norm moves u and v with the weight, and its derivative takes them as constants nevertheless. */
const hasConstants = (fixture: Fixture): boolean => {
  const { wrap, eval: evaluating } = specOf(fixture);
  return wrap?.[0] === 'spectralNorm' && !evaluating;
};

for (const op of new Set(fixtures.map((f) => f.op))) {
  const list = fixtures.filter((f) => f.op === op);
  test(`${op}: values, gradients and second derivatives of ${list.length} fixtures`, () => {
    for (const f of list) assert.equal(errorsOf(f), [], titleOf(f));
  });
  test(`${op}: gradcheck and gradgradcheck`, async () => {
    for (const f of list.filter((f) => f.cotangents && !hasConstants(f))) await check(f);
  });
}

test('every layer has a fixture, or says where else it is tested', () => {
  const tested = new Set([...fixtures.map((f) => f.op), ...Object.keys(WITHOUT_TWIN)]);
  assert.equal(
    layerNames.filter((name) => !tested.has(name)),
    [],
  );
  assert.equal(
    Object.keys(WITHOUT_TWIN).filter((name) => !layerNames.includes(name) && name !== 'Module'),
    [],
  );
});

test.run();
