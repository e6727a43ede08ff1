/** Modules, layers and optimizers, against numbers worked out by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { grad, Rng, reference, ShapeError, scope, type Tensor, tensor, withDevice } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';

const test = suite('nn');
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const on = (fn: () => void) => () => withDevice(reference, fn);
const near = (found: readonly number[], wanted: readonly number[], tolerance = 1e-12): void => {
  assert.is(found.length, wanted.length);
  found.forEach((v, i) => {
    assert.ok(Math.abs(v - wanted[i]!) <= tolerance, `element ${i}: ${v}, wanted ${wanted[i]}`);
  });
};

class Pair extends nn.Module {
  readonly first = new nn.Linear(3, 2, { rng: new Rng(1) });
  readonly rest = [new nn.BatchNorm2d(2), new nn.LeakyReLU(0.2)];

  override forward(x: Tensor): Tensor {
    return this.rest.reduce((h, layer) => layer.forward(h), this.first.forward(x));
  }
}

test(
  'a module finds parameters and states by field, also in arrays',
  on(() => {
    const m = new Pair();
    assert.equal(
      m.namedParameters().map(([name, p]) => [name, [...p.shape]]),
      [
        ['first.weight', [3, 2]],
        ['first.bias', [2]],
        ['rest.0.weight', [2]],
        ['rest.0.bias', [2]],
      ],
    );
    assert.equal([...m.stateDict().keys()].slice(4), ['rest.0.runningMean', 'rest.0.runningVar']);
    m.eval();
    assert.not(m.rest[0]!.training);
    m.dispose();
  }),
);

test(
  'loadStateDict names everything that is wrong, and changes nothing then',
  on(() => {
    const m = new Pair();
    const before = values(m.first.weight);
    const given = new Map(
      [...m.stateDict()].map(([name, t]) => [name, { shape: t.shape, data: Array<number>(t.size).fill(7) }]),
    );
    given.delete('rest.0.bias');
    given.set('extra', { shape: [1], data: [0] });
    given.set('first.bias', { shape: [5], data: [1, 2, 3, 4, 5] });
    let message = '';
    try {
      m.loadStateDict(given);
    } catch (error) {
      message = (error as Error).message;
    }
    assert.is(message, 'loadStateDict: first.bias is [5], not [2]; rest.0.bias is missing; extra is unexpected');
    assert.equal(values(m.first.weight), before);
    m.dispose();
  }),
);

test(
  'Linear is x·w + b, and says which features it wants',
  on(() => {
    const layer = new nn.Linear(2, 3);
    layer.weight.assign([1, 2, 3, 4, 5, 6]);
    layer.bias!.assign([10, 20, 30]);
    near(
      values(
        layer.forward(
          tensor([
            [1, 1],
            [0, 2],
          ]),
        ),
      ),
      [15, 27, 39, 18, 30, 42],
    );
    assert.throws(
      () => layer.forward(tensor([[1, 2, 3]])),
      (e: Error) => e instanceof ShapeError && /must have 2 features/.test(e.message),
    );
    layer.dispose();
  }),
);

test(
  'BatchNorm2d standardises a batch, moves its running averages as PyTorch does, and uses them in eval mode',
  on(() => {
    const layer = new nn.BatchNorm2d(2, { eps: 0 });
    const x = tensor([1, 10, 3, 30, 5, 20, 7, 40], { shape: [2, 1, 2, 2] });
    const y = values(layer.forward(x));
    const s = Math.sqrt(5); // channel 0: mean 4, biased variance 5, unbiased 20 / 3
    near([y[0]!, y[2]!, y[4]!, y[6]!], [-3 / s, -1 / s, 1 / s, 3 / s]);
    near(values(layer.runningMean!), [0.4, 2.5]);
    near(values(layer.runningVar!), [0.9 + 0.1 * (20 / 3), 0.9 + 0.1 * (500 / 3)]);
    nn.withoutTracking(() => layer.forward(x));
    near(values(layer.runningMean!), [0.4, 2.5]);
    layer.eval();
    near([values(layer.forward(x))[0]!], [(1 - 0.4) / Math.sqrt(0.9 + 2 / 3)]);
    layer.dispose();
  }),
);

test(
  'Adam makes the steps of Kingma and Ba, with all parameters in one arena',
  on(() => {
    const w = new nn.Parameter(tensor([1, -2, 3]), 'w');
    const b = new nn.Parameter(tensor([0.5]), 'b');
    const optimizer = new nn.Adam([w, b], { lr: 0.1, betas: [0.5, 0.9], eps: 1e-8 });
    const theta = [1, -2, 3, 0.5];
    const m = [0, 0, 0, 0];
    const v = [0, 0, 0, 0];
    for (let t = 1; t <= 10; t++) {
      scope(() => optimizer.step(grad(w.square().sum().add(b.square().mul(3).sum()), [w, b])));
      theta.forEach((p, i) => {
        const g = i < 3 ? 2 * p : 6 * p;
        m[i] = 0.5 * m[i]! + 0.5 * g;
        v[i] = 0.9 * v[i]! + 0.1 * g * g;
        theta[i] = p - (0.1 * (m[i] / (1 - 0.5 ** t))) / (Math.sqrt(v[i] / (1 - 0.9 ** t)) + 1e-8);
      });
    }
    near([...values(w), ...values(b)], theta, 1e-10);
    assert.throws(
      () => new nn.Adam([b]),
      (e: Error) => /b \[1\] belongs to another optimizer/.test(e.message),
    );
    for (const t of [w, b, optimizer]) t.dispose();
  }),
);

test(
  'EMA follows the parameters, and lends its values for the length of a call',
  on(() => {
    const w = new nn.Parameter(tensor([1, 2]), 'w');
    const ema = new nn.EMA([w], 0.5);
    ema.update(); // the first update takes the parameters as they are
    near(values(w), [1, 2]);
    near(
      ema.apply(() => values(w)),
      [1, 2],
    );
    w.assign([3, 6]);
    ema.update();
    const kept = Math.min(0.5, 1 / 11);
    near(
      ema.apply(() => values(w)),
      [kept + 3 * (1 - kept), 2 * kept + 6 * (1 - kept)],
    );
    near(values(w), [3, 6]);
    w.dispose();
  }),
);

test.run();
