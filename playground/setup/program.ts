import { randomStreams } from '../../gan/randomStreams.ts';
import { splitRegularizer } from './choices.ts';
import { dataCalls } from './dataCalls.ts';
import { SCALE } from './points.ts';
import { HELD_OUT, POINTS, type Setup } from './setup.ts';

/** A value as JavaScript has it, on one line. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([name, v]) => `${name}: ${literal(v)}`)
    .join(', ')} }`;
}

const optimizer = ({ optimizer, betas }: Setup, lr: number): string =>
  ({
    adam: `(parameters) => new Adam(parameters, { lr: ${lr}, betas: [${betas.join(', ')}] })`,
    rmsprop: `(parameters) => new RMSprop(parameters, { lr: ${lr} })`,
    sgd: `(parameters) => new SGD(parameters, { lr: ${lr} })`,
  })[optimizer];

/** A distribution of points that were drawn, as the page has it. */
const distribution = ({
  points,
  sigma,
}: Setup): string => `const points = [${points.map((v) => Math.round(v * SCALE)).join(', ')}].map((v) => v / ${SCALE});
const drawn = {
  name: 'drawn',
  title: 'points that were drawn',
  dimension: 2,
  sample(n, rng) {
    const which = rng.hostUniform(n).map((u) => Math.floor((u * points.length) / 2));
    return Float32Array.from(rng.hostNormal(2 * n), (z, i) => points[2 * which[i >> 1] + (i % 2)] + ${sigma} * z);
  },
};

`;

/**
 * A program for Node that trains a setup as the page does, and prints the numbers of its last steps: on the same adapter those of the page.
 * @param until steps
 */
export function programOf(setup: Setup, until: number): string {
  const { seed, batch, objective, regularizers, emaDecay, criticSteps, criticRate, generatorRate } = setup;
  const call = setup.data === 'drawn' ? undefined : dataCalls[setup.data](setup);
  const data = call ? `${call[0]}(${literal(call[1])})` : 'drawn';
  const modes = call?.[0].startsWith('gaussian') ?? false; // mixtures know their modes
  const kind = { adam: 'Adam', rmsprop: 'RMSprop', sgd: 'SGD' }[setup.optimizer];
  const used = regularizers
    .map(splitRegularizer)
    .map(([name, strength]) => `regularizer('${name}'${strength === undefined ? '' : `, ${strength}`})`);
  const names = [
    ...['Gan', ...(call ? [call[0]] : []), 'mlp', 'pointSet', ...(used.length > 0 ? ['regularizer'] : [])],
    ...['train', 'trainingLoader', ...(modes ? ['modeCoverage'] : [])],
  ].sort((a, b) => a.localeCompare(b));
  const sizes = ['latent', 'width', 'depth', 'criticWidth', 'criticDepth'] as const;
  return `import { destroy, init, Rng } from 'wgrad';
import { ${names.join(', ')} } from 'wgrad/gan';
import { ${kind} } from 'wgrad/nn';

${call ? '' : distribution(setup)}await init();
const set = pointSet(${data}, { seed: ${seed}, trainSize: ${POINTS}, testSize: ${HELD_OUT} });
const networks = mlp({
  shape: [2],
${sizes.map((name) => `  ${name}: ${setup[name]},\n`).join('')}  activation: '${setup.activation}',
  criticActivation: '${setup.criticActivation}',
  rng: new Rng(${seed}, ${randomStreams.weights}),
});
const gan = new Gan(networks, new Rng(${seed}, ${randomStreams.training}), {
  objective: '${objective}',
  regularizers: [${used.join(', ')}],
  criticSteps: ${criticSteps},
  emaDecay: ${emaDecay},
  criticOptimizer: ${optimizer(setup, criticRate)},
  generatorOptimizer: ${optimizer(setup, generatorRate)},
});
const data = trainingLoader(set, ${batch}, new Rng(${seed}, ${randomStreams.data}));
for await (const row of train(gan, { data }, { until: ${until} })) {
  if (row.step > ${Math.max(0, until - 3)}) console.log(JSON.stringify(row));
}
${
  modes
    ? `const samples = gan.sample(new Rng(${seed}, ${randomStreams.samples}).normal([1024, ${setup.latent}]));
const { covered, highQuality } = modeCoverage({ data: Float32Array.from(await samples.data()), shape: [1024, 2] }, set.modes);
console.log(\`\${covered} modes, \${(100 * highQuality).toFixed(0)} % of the samples within 3 sigma\`);
`
    : ''
}destroy();
`;
}
