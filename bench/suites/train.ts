/** Whole training steps: one update of the critic and one of the generator, Adam included. */
import type { Case, Image, Layer, TrainTask } from '../task.ts';

const dense = (from: number, to: number): Layer => ({ kind: 'dense', in: from, out: to, bias: true });
const [relu, leakyRelu, tanh, flatten] = (['relu', 'leakyRelu', 'tanh', 'flatten'] as const).map(
  (kind): Layer => ({ kind }),
) as [Layer, Layer, Layer, Layer];
const half = { size: 4, stride: 2, padding: 1 };
const norm = (channels: number): Layer => ({ kind: 'batchNorm', channels });

const mlp = (from: number, to: number, activation: Layer): Layer[] => [
  ...[dense(from, 128), activation, dense(128, 128), activation, dense(128, 128), activation, dense(128, to)],
];

/** Strided convolutions; batch norm after all but the first, unless the loss treats each sample by itself. */
function critic(image: Image, widths: readonly number[], normalize: boolean): Layer[] {
  const layers: Layer[] = [];
  let [h, w, c] = image;
  for (const [i, width] of widths.entries()) {
    const normed = normalize && i > 0;
    layers.push(
      { kind: 'conv', in: c, out: width, ...half, bias: !normed },
      ...(normed ? [norm(width)] : []),
      leakyRelu,
    );
    [h, w, c] = [h / 2, w / 2, width];
  }
  return [...layers, flatten, { kind: 'dense', in: h * w * c, out: 1, bias: true, inImage: [h, w, c] }];
}

/** From a latent code to 1/2^k of the image, then up in transposed convolutions. */
function generator([h, w, channels]: Image, widths: readonly number[], latent: number): Layer[] {
  const scale = 2 ** widths.length;
  const small: Image = [h / scale, w / scale, widths[0]!];
  const size = small[0] * small[1] * small[2];
  return [
    { kind: 'dense', in: latent, out: size, bias: false, outImage: small },
    ...([{ kind: 'reshape', image: small }, norm(widths[0]!), relu] as const),
    ...widths.flatMap((from, i): Layer[] => {
      const to = widths[i + 1];
      const up = { kind: 'convTranspose', in: from, ...half } as const;
      if (to === undefined) return [{ ...up, out: channels, bias: true }, tanh];
      return [{ ...up, out: to, bias: false }, norm(to), relu];
    }),
  ];
}

function images(loss: TrainTask['loss'], image: Image, widths: readonly number[]): TrainTask {
  const latent = 64;
  return {
    kind: 'train',
    loss,
    batch: 64,
    latent,
    sample: { shape: image, layout: 'images' },
    critic: critic(image, widths, loss === 'dcgan'),
    generator: generator(image, [...widths].reverse(), latent),
    ...(loss === 'dcgan' ? { lr: 2e-4, betas: [0.5, 0.999] } : { lr: 1e-4, betas: [0, 0.9] }),
  };
}

const ring: TrainTask = {
  kind: 'train',
  loss: 'wganGp',
  batch: 256,
  latent: 2,
  sample: { shape: [2], layout: 'plain' },
  critic: mlp(2, 1, leakyRelu),
  generator: mlp(2, 2, relu),
  lr: 1e-4,
  betas: [0, 0.9],
};

/** Losses of three steps must agree as closely as this. */
const tolerance = 5e-3;
const common = { suite: 'train', measure: 'total', tolerance } as const;
const relus = "tfjs: relu(x) - 0.2 relu(-x) for the critic's leakyRelu, which has no second derivative there";

export const train: readonly Case[] = [
  { ...common, name: 'WGAN-GP on a ring', shape: 'MLP 3x128, batch 256', task: ring, note: relus, quick: true },
  { ...common, name: 'DCGAN', shape: '28x28x1, batch 64', task: images('dcgan', [28, 28, 1], [32, 64]) },
  { ...common, name: 'DCGAN', shape: '32x32x3, batch 64', task: images('dcgan', [32, 32, 3], [32, 64, 128]) },
  {
    ...common,
    name: 'WGAN-GP',
    shape: '28x28x1, batch 64',
    task: images('wganGp', [28, 28, 1], [32, 64]),
    note: relus,
  },
];
