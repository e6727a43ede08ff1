/** The formula of what is trained, written out: made into HTML and MathML when the page is built, so that none of that is done here. */
import type { JSX } from 'preact';
import { objectives, regularizers, splitRegularizer } from '../setup/choices.ts';
import { setup } from './store.ts';

/** HTML by TeX, put in by the build. */
declare const FORMULAS: Readonly<Record<string, string>>;

/** A formula by its TeX, which the build knows. */
function Tex({ of }: { readonly of: string }): JSX.Element {
  const html = FORMULAS[of];
  if (html === undefined) throw new Error(`the page was built without the formula ${of}`);
  // KaTeX made it of our own TeX when the page was built.
  return <span class="tex" dangerouslySetInnerHTML={{ __html: html }} />;
}

/** What critic and generator minimise, of exactly this setup. */
export function Formula(): JSX.Element {
  const { objective, regularizers: used } = setup.value;
  const { critic, generator, source } = objectives[objective];
  const parts = used.map(splitRegularizer).map(([name, strength]) => ({ name, strength, words: regularizers[name] }));
  return (
    <section class="formula" aria-label="What is minimised">
      <p>
        <b class="critic-ink">critic f</b> minimises <Tex of={critic} />
        {parts.map(
          ({ name, words }) =>
            words.term && (
              <span key={name} class="term">
                {' + '}
                <Tex of={words.term} />
              </span>
            ),
        )}
      </p>
      {parts.map(
        ({ name, words }) =>
          words.does && (
            <p key={name}>
              then <Tex of={words.does} />
            </p>
          ),
      )}
      <p>
        <b class="generator-ink">generator</b> minimises <Tex of={generator} />
      </p>
      <p class="small">
        x real, y generated. {[source, ...parts.map(({ words }) => words.source)].join('; ')}.{' '}
        {parts
          .filter(({ words }) => words.strength)
          .map(({ name, strength, words }) => (
            <span key={name}>
              {words.strength![0]} = {strength ?? words.strength![1]}{' '}
            </span>
          ))}
      </p>
    </section>
  );
}
