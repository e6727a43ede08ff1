import type { activationRows } from '../ops/activations.ts';
import type { LoopsOf } from './loop.ts';
import { map1, map2, map3 } from './maps.ts';
import { phi, sigmoid } from './special.ts';

const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

export const activations: LoopsOf<typeof activationRows> = {
  softplus: map1((x, beta, threshold) => (x * beta > threshold ? x : softplus(x * beta) / beta)),
  softplusGrad: map2((g, x, beta, threshold) => (x * beta > threshold ? g : g * sigmoid(x * beta))),
  logSigmoid: map1((x) => -softplus(-x)),
  elu: map1((x, alpha, scale) => scale * (x > 0 ? x : alpha * Math.expm1(x))),
  eluGrad: map2((g, x, alpha, scale) => g * scale * (x > 0 ? 1 : alpha * Math.exp(x))),
  silu: map1((x) => x * sigmoid(x)),
  siluGrad: map2((g, x) => g * sigmoid(x) * (1 + x * sigmoid(-x))),
  gelu: map1((x) => x * phi(x)),
  geluGrad: map2((g, x) => g * (phi(x) + x * density(x))),
  prelu: map2((x, w) => (x > 0 ? x : x * w)),
  preluGrad: map3((g, x, w) => (x > 0 ? g : g * w)),
  hardtanh: map1((x, low, high) => Math.min(Math.max(x, low), high)),
  hardtanhGrad: map2((g, x, low, high) => (x > low && x < high ? g : 0)),
};
