/** docs/models.md, made of the table of models. */
import { Rng, reference, scope, withDevice } from '../../engine/index.ts';
import { type Model, models } from '../../gan/index.ts';
import type { Module } from '../../nn/index.ts';

const number = new Intl.NumberFormat('en-US');
const count = (m: Module): string => number.format(m.parameters().reduce((n, p) => n + p.size, 0));

/** One line for each size of sample; what is the same for all stands in the first. */
function linesOf(name: string, { shapes, about, paper, width, create }: Model): string[] {
  return shapes.map((shape, i) => {
    const { generator, critic, latent } = create({ shape, rng: new Rng(0) });
    const sizes = [`[${shape}]`, `${latent}`, `${width(shape)}`, count(generator), count(critic)];
    generator.dispose();
    critic.dispose();
    return `| ${(i === 0 ? [`\`${name}\``, ...sizes, about, paper] : ['', ...sizes, '', '']).join(' | ')} |`;
  });
}

/** The text of the page. */
export const modelsPage = (): string =>
  withDevice(reference, () =>
    scope(() =>
      [
        '# Models',
        '',
        "`createNetworks(name, { shape, latent, width, depth, criticNorm, spectralNorm, rng })` makes a generator and a critic. `shape` is that of one sample. What is left out is the model's own. Critics give logits. This page is written by `WGRAD_WRITE=1 npx tsx test/gan/modelsPage.test.ts`.",
        '',
        '| model | sample | latent | width | generator, parameters | critic, parameters | networks | paper |',
        '|---|---|--:|--:|--:|--:|---|---|',
        ...Object.entries<Model>(models).flatMap(([name, model]) => linesOf(name, model)),
        '',
        ...Object.entries<Model>(models).map(([name, { title, makes }]) => `- \`${name}\`: ${title}; makes ${makes}.`),
        '',
        "`criticNorm` is `'batch'`, `'layer'`, `'instance'` (not of `mlp`) or `'none'`; `spectralNorm: true` divides each weight of the critic by its largest singular value. A penalty on the critic's gradient at each sample needs a critic without batch norm.",
        '',
      ].join('\n'),
    ),
  );
