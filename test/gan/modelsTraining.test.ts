/** The networks of gan/networks in training: gradients, the gradient penalty's too, and compiled steps on WebGPU. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import {
  compile,
  concat,
  copyFrom,
  grad,
  noGrad,
  Rng,
  reference,
  scope,
  type Tensor,
  tensor,
  withDevice,
} from '../../engine/index.ts';
import { gradientPenalty, type Networks, type NetworksOptions } from '../../gan/index.ts';
import * as nn from '../../nn/index.ts';
import { openGpu } from '../support/devices.ts';
import { SMALL, type SmallModel } from '../support/networks.ts';
import { distance } from '../support/values.ts';

const test = suite('models in training');
const gpu = await openGpu();
setDevice(gpu);
const values = (t: Tensor): Float64Array => Float64Array.from(reference.values(t.storage));

/** A critic whose samples do not see each other, in words and as options. */
const penalised = (model: SmallModel): [string, NetworksOptions][] => {
  const shape = model.shapes.at(-1)!;
  const rng = () => new Rng(11);
  const normed = model.norms
    .filter((norm) => norm !== 'batch')
    .map((criticNorm): [string, NetworksOptions] => [criticNorm, { shape, criticNorm, rng: rng() }]);
  return [...normed, ['spectral', { shape, criticNorm: 'none', spectralNorm: true, rng: rng() }]];
};

/** One element of a parameter, `by` more. */
function shift(p: nn.Parameter, i: number, by: number): void {
  const moved = values(p);
  moved[i]! += by;
  scope(() => noGrad(() => copyFrom(p, tensor(moved, { shape: p.shape }))));
}

for (const model of SMALL) {
  test(`the gradient penalty through ${model.name} has second derivatives, those of central differences`, () =>
    withDevice(reference, () => {
      for (const [name, options] of penalised(model)) {
        const { critic } = model.make(options);
        critic.eval(); // spectral norm's vectors count as constants, and stand still
        const data = new Rng(12);
        const [real, fake] = [0, 1].map(() => data.uniform([2, ...options.shape], { low: -1 }));
        const penalty = () => gradientPenalty(critic, real!, fake!, new Rng(13));
        const parameters = critic.parameters();
        const found = scope(() => grad(penalty(), parameters, { allowUnused: true }).map(values));
        for (const g of found) assert.ok(g.every(Number.isFinite), `${model.name}, ${name}: not finite`);
        const weights = parameters.flatMap((p, k) => (p.rank > 1 ? [k] : []));
        for (const k of new Set([weights[0]!, weights[weights.length >> 1]!, weights.at(-1)!])) {
          const g = found[k]!;
          const largest = g.reduce((best, v, i) => (Math.abs(v) > Math.abs(g[best]!) ? i : best), 0);
          assert.ok(Math.abs(g[largest]!) > 1e-8, `${model.name}, ${name}: no gradient in parameter ${k}`);
          const h = 1e-6;
          const at = (by: number): number => {
            shift(parameters[k]!, largest, by);
            return scope(() => values(penalty())[0]!);
          };
          const slope = (at(h) - at(-2 * h)) / (2 * h);
          shift(parameters[k]!, largest, h);
          const off = Math.abs(slope - g[largest]!);
          const bound = 1e-5 * Math.abs(g[largest]!) + 1e-8;
          assert.ok(off <= bound, `${model.name}, ${name}, parameter ${k}: ${g[largest]}, differences ${slope}`);
        }
      }
    }));
}

test('the loss of each pair reaches every parameter of both networks', () =>
  withDevice(reference, () => {
    for (const model of SMALL) {
      const shape = model.shapes.at(-1)!;
      const { generator, critic, latent } = model.make({ shape, rng: new Rng(14) });
      const score = critic.forward(generator.forward(new Rng(15).normal([4, latent])));
      const parameters = [...generator.parameters(), ...critic.parameters()];
      grad(score.square().mean(), parameters).forEach((g, i) => {
        const all = values(g);
        assert.ok(all.every(Number.isFinite) && all.some((v) => v !== 0), `${model.name}: parameter ${i}`);
      });
    }
  }));

/** A critic step and a generator step, with the penalty where the critic permits it. @returns both losses */
function stepOf({ generator, critic, latent }: Networks, penalises: boolean, rng: Rng): (real: Tensor) => Tensor {
  const [judge, forger] = [critic, generator].map((m) => new nn.SGD(m.parameters(), { lr: 0.02, momentum: 0.5 }));
  return (real) =>
    scope(() => {
      const n = real.shape[0]!;
      const fake = noGrad(() => generator.forward(rng.normal([n, latent])));
      const gap = critic.forward(fake).mean().sub(critic.forward(real).mean());
      const loss = penalises ? gap.add(gradientPenalty(critic, real, fake, rng)) : gap.tanh();
      judge!.step(grad(loss, critic.parameters(), { allowUnused: true }));
      const fooled = critic
        .forward(generator.forward(rng.normal([n, latent])))
        .mean()
        .neg();
      forger!.step(grad(fooled, generator.parameters()));
      return concat([loss.reshape([1]), fooled.reshape([1])]).detach();
    });
}

/** Every way to normalise a critic, for the first model of each kind. */
const ways = (model: SmallModel): NetworksOptions[] => {
  const base = { shape: model.shapes.at(-1)!, rng: new Rng(16) };
  return [
    ...model.norms.map((criticNorm) => ({ ...base, criticNorm })),
    { ...base, criticNorm: 'none', spectralNorm: true },
  ];
};

for (const model of SMALL) {
  test(`two compiled steps of ${model.name} give the numbers of eager ones`, async () => {
    for (const options of ways(model)) {
      const name = `${model.name}, ${options.criticNorm}${options.spectralNorm ? ', spectral' : ''}`;
      const penalises = options.criticNorm !== 'batch';
      const make = () => {
        const rng = new Rng(17);
        const networks = model.make({ ...options, rng });
        return { networks, run: stepOf(networks, penalises, rng) };
      };
      const [eager, recorded] = [make(), make()];
      const step = compile(recorded.run);
      const data = new Rng(18);
      for (let k = 0; k < 2; k++) {
        const [found, wanted] = await scope(() => {
          const real = data.uniform([4, ...options.shape], { low: -1 });
          return Promise.all([step(real).data(), eager.run(real).data()]);
        });
        assert.ok(wanted.every(Number.isFinite), `${name}: ${wanted}`);
        assert.ok(distance(found, wanted, 1e-3) < 1e-4, `${name}, step ${k}: ${found}, not ${wanted}`);
      }
      for (const part of ['generator', 'critic'] as const) {
        const state = ({ networks }: { networks: Networks }) =>
          Promise.all([...networks[part].stateDict()].map(([, t]) => (t as Tensor).data()));
        const [found, wanted] = await Promise.all([state(recorded), state(eager)]);
        found.forEach((v, i) => {
          assert.ok(distance(v, wanted[i]!, 1e-3) < 1e-4, `${name}, ${part}, tensor ${i}`);
        });
      }
      step.dispose();
      for (const { networks } of [eager, recorded]) {
        networks.generator.dispose();
        networks.critic.dispose();
      }
    }
  });
}

test.after(() => gpu.destroy());
test.run();
